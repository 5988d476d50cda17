//! Detects the order of columns without names by the numbers in the first rows.
//!
//! An order from the list of usual orders fits if time goes back in at most a third of the rows, polarities are a pair (see
//! [`Polarity`]) and the other columns are coordinates. Coordinates go back in about half of the rows, so a few hundred rows
//! do not fit another order by chance. Of several that fit, those with coordinates below 2048 are preferred, and among them
//! those whose times never go back and increase. Then the most usual order is preferred or, if no times increase, the one
//! with the largest times.

use super::columns::Columns;
use super::nearly_all;
use super::polarity::Polarity;

/// The usual orders, the most common first.
const USUAL: [[u8; 4]; 6] = [
    [0, 1, 2, 3], // t,x,y,p
    [2, 0, 1, 3], // x,y,t,p
    [3, 0, 1, 2], // x,y,p,t
    [0, 2, 3, 1], // t,p,x,y
    [1, 2, 3, 0], // p,t,x,y
    [3, 1, 2, 0], // p,x,y,t
];
/// No sensor has as many pixels per side.
const PLAUSIBLE: f64 = 2048.0;

/// How well rows fit an order.
#[derive(Clone, Copy)]
struct Fit {
    order: [u8; 4],
    /// Whether coordinates are below [`PLAUSIBLE`].
    plausible: bool,
    /// Whether times never go back, and increase.
    grows: bool,
    /// The largest time.
    largest: f64,
}

impl Fit {
    fn of(order: [u8; 4], rows: &[Vec<f64>]) -> Option<Self> {
        let [t, x, y, on] = order.map(|column| -> Vec<f64> {
            rows.iter().map(|row| row.get(usize::from(column)).copied().unwrap_or(f64::NAN)).collect()
        });
        let nearly = |values: &[f64], holds: fn(&f64) -> bool| {
            nearly_all(values.iter().filter(|value| holds(value)).count(), values.len())
        };
        let back = t.windows(2).filter(|pair| matches!(pair, [before, after] if after < before)).count();
        let is_time = nearly(&t, |t| (0.0..f64::INFINITY).contains(t)) && 3 * back <= t.len().saturating_sub(1);
        let is_place = |x: &[f64]| nearly(x, |x| (0.0..65536.0).contains(x) && x.fract() == 0.0);
        (is_time && is_place(&x) && is_place(&y) && Polarity::fits(&on)).then(|| Self {
            order,
            plausible: [&x, &y].into_iter().all(|x| nearly(x, |x| *x < PLAUSIBLE)),
            grows: back == 0 && t.last() > t.first(),
            largest: t.iter().copied().fold(0.0, f64::max),
        })
    }

    fn is_better_than(&self, other: &Self) -> bool {
        let (mine, others) = ((self.plausible, self.grows), (other.plausible, other.grows));
        mine > others || (mine == others && !self.grows && self.largest > other.largest)
    }
}

/// The order that fits best, and the reason.
pub(super) fn fitting(rows: &[Vec<f64>]) -> Result<(Columns, String), String> {
    let first = rows.first().map_or(&[][..], |row| row);
    if first.len() != 4 {
        let columns = if first.len() == 1 { "column" } else { "columns" };
        return Err(format!("{} {columns} without names; expected 4: time, column, row and polarity", first.len()));
    }
    let fits: Vec<Fit> = USUAL.iter().filter_map(|order| Fit::of(*order, rows)).collect();
    let best = fits.iter().copied().reduce(|best, other| if other.is_better_than(&best) { other } else { best });
    let Some(best) = best else {
        let first: Vec<_> = first.iter().map(f64::to_string).collect();
        return Err(format!(
            "no usual order of columns fits, such as t,x,y,p or x,y,t,p; the first row is {}",
            first.join(", ")
        ));
    };
    // Orders that fit equally well.
    let equal = |fit: &&Fit| fit.order != best.order && (fit.plausible, fit.grows) == (best.plausible, best.grows);
    let others: Vec<_> = fits.iter().filter(equal).map(|fit| Columns::of(fit.order).to_string()).collect();
    let rows = if rows.len() == 1 { "the first row".into() } else { format!("the first {} rows", rows.len()) };
    let reason = if others.is_empty() { rows } else { format!("{rows}; or {}", others.join(" or ")) };
    Ok((Columns::of(best.order), format!("fits {reason}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order(rows: &[[f64; 4]]) -> Result<String, String> {
        let rows: Vec<Vec<f64>> = rows.iter().map(|row| row.to_vec()).collect();
        fitting(&rows).map(|(columns, _)| columns.to_string())
    }

    #[test]
    fn numbers_tell() {
        let cases: [(&str, &[[f64; 4]]); 15] = [
            ("t,x,y,p", &[[0.5, 3.0, 2.0, 0.0], [0.6, 1.0, 9.0, 1.0]]),
            ("x,y,t,p", &[[7.0, 3.0, 20.0, -1.0], [2.0, 8.0, 20.0, 1.0], [2.0, 8.0, 21.0, 1.0]]),
            ("x,y,p,t", &[[1.0, 0.0, 1.0, 100.0], [0.0, 1.0, 0.0, 101.0]]),
            ("t,x,y,p", &[[0.0, 0.0, 0.0, 0.0], [1.0, 1.0, 1.0, 1.0]]),
            ("t,x,y,p", &[[700.0, 5.0, 6.0, 1.0]]),
            ("x,y,t,p", &[[5.0, 6.0, 700.0, 1.0]]),
            ("t,x,y,p", &[[0.0, 100.0, 100.0, 0.0], [5.0, 100.0, 101.0, 1.0]]),
            // Equal times.
            ("t,x,y,p", &[[5000.0, 3.0, 2.0, 1.0], [5000.0, 4.0, 2.0, 0.0]]),
            ("t,x,y,p", &[[5000.0, 4.0, 2.0, 1.0], [5000.0, 4.0, 2.0, 1.0]]),
            ("x,y,t,p", &[[3.0, 2.0, 5000.0, 1.0], [4.0, 2.0, 5000.0, 0.0]]),
            // Times that go back.
            ("t,x,y,p", &[[1e3, 1.0, 2.0, 0.0], [2e3, 3.0, 1.0, 1.0], [15e2, 5.0, 6.0, 0.0], [3e3, 7.0, 5.0, 1.0]]),
            ("t,x,y,p", &[[1e4, 1.0, 2.0, 0.0], [2e4, 3.0, 4.0, 1.0], [15e3, 5.0, 6.0, 0.0], [3e4, 7.0, 8.0, 1.0]]),
            ("t,p,x,y", &[[1e5, 1.0, 9.0, 7.0], [2e5, 0.0, 4.0, 2.0], [15e4, 1.0, 8.0, 6.0], [3e5, 0.0, 7.0, 8.0]]),
            // And others, which do not go back.
            (
                "x,y,t,p",
                &[[1.0, 5.0, 100.0, 0.0], [9.0, 6.0, 101.0, 1.0], [3.0, 7.0, 102.0, 0.0], [12.0, 8.0, 103.0, 1.0]],
            ),
            // Other polarity values.
            ("t,x,y,p", &[[10.0, 3.0, 9.0, 1.0], [20.0, 9.0, 3.0, 2.0]]),
        ];
        for (expected, rows) in cases {
            assert_eq!(order(rows), Ok(expected.into()), "{rows:?}");
        }
    }

    #[test]
    fn what_fits_nothing_is_told() {
        let cases: [(&[f64], &str); 4] = [
            (&[1.0, 2.0, 3.0], "3 columns without names; expected 4"),
            (&[1.0, 2.0, 3.0, 0.0, 5.0], "5 columns without names; expected 4"),
            (&[2.0, 3.0, 4.0, 7.5], "the first row is 2, 3, 4, 7.5"),
            (&[], "0 columns without names"),
        ];
        for (row, words) in cases {
            let error = fitting(&[row.to_vec()]).expect_err("no order");
            assert!(error.contains(words), "{error}");
        }
        assert!(fitting(&[]).is_err(), "nothing");
        assert!(order(&[[-5.0, 1.0, 2.0, 1.0], [3.0, 2.0, 9.0, 0.0]]).is_err(), "a time below 0");
    }

    #[test]
    fn other_orders_are_told() {
        let rows = [vec![500.0, 3.0, 2.0, 1.0], vec![500.0, 4.0, 2.0, 0.0]];
        let (columns, reason) = fitting(&rows).expect("an order");
        assert_eq!((columns, &reason[..]), (Columns::TXYP, "fits the first 2 rows; or x,y,t,p"));
        // Random pixels in a hundred rows, and a clock reset.
        let any = |i: u32| i.wrapping_mul(2_654_435_761) >> 20;
        let rows: Vec<Vec<f64>> = (0..100)
            .map(|i| [500 + 7 * (i % 60), any(i) % 34, any(i + 1000) % 34, any(i + 2000) % 2].map(f64::from).to_vec())
            .collect();
        let (columns, reason) = fitting(&rows).expect("an order");
        assert_eq!((columns, &reason[..]), (Columns::TXYP, "fits the first 100 rows"));
    }
}
