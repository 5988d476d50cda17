//! Signal and noise retention of event filters on labelled noise.
//!
//! Labelled noise, [`Noise`], is mixed into clean events, [`Mixture`]. Every filter in [`contestants`] runs on the mixture
//! at each of its settings. The retention of signal and noise gives a [`Curve`] with its area. The clean events are those of
//! the simulated sensor without noise ([`View`]), or of a recording that is assumed to be clean.
//!
//! The protocol follows S. Guo and T. Delbruck, Low cost and latency event camera background activity denoising, IEEE Trans.
//! PAMI 45(1), 2023, doi:10.1109/TPAMI.2022.3152999: leak noise of about 0.2 Hz and shot noise of up to 10 Hz per pixel, as
//! they measured, added to clean events; curves over the time constant of the filters. Their scenes are different.
//!
//! ```
//! use core::time::Duration;
//! use foveola::Geometry;
//! use foveola_cli::bench::denoise::{Mixture, Noise, View, contestants, curve};
//!
//! let (size, duration) = (Geometry { cols: 120, rows: 90 }, Duration::from_millis(200));
//! let clean = View::Discs.events(size, duration)?;
//! let mixture = Mixture::new(clean, size, duration, Noise { leak: 0.2, shot: 5.0, seed: 0 })?;
//! let supported = &contestants()[1]; // by 2 of 8 neighbours
//! assert!(curve(supported, &mixture)?.auc() > 0.9);
//! # Ok::<(), foveola::Error>(())
//! ```

mod contestants;
mod mixture;
mod roc;
mod view;

pub use contestants::{Chain, Contestant, Varied, contestants};
pub use mixture::{Counts, Mixture, Noise};
pub use roc::{Curve, Point};
pub use view::View;

use foveola::Result;
use rayon::prelude::*;

/// The curve of a filter.
///
/// # Errors
/// [`Error::Layer`](foveola::Error::Layer) when the filter cannot be built for a sensor of this size.
pub fn curve(contestant: &Contestant, mixture: &Mixture) -> Result<Curve> {
    let all = mixture.counts();
    let part = |kept: u64, all: u64| if all == 0 { 0.0 } else { kept as f64 / all as f64 };
    let point = |&setting: &u32| {
        let kept = mixture.kept(&contestant.chain(mixture.geometry(), setting)?);
        Ok(Point { setting, tpr: part(kept.signal, all.signal), fpr: part(kept.noise, all.noise) })
    };
    let points = contestant.varied.settings().par_iter().map(point).collect::<Result<_>>()?;
    Ok(Curve { name: contestant.name.into(), points })
}

#[cfg(test)]
mod tests {
    use super::*;
    use core::time::Duration;
    use foveola::Geometry;

    /// Correlation separates an edge from noise; a refractory period does not.
    #[test]
    fn correlation_separates() {
        let (size, duration) = (Geometry { cols: 120, rows: 90 }, Duration::from_millis(300));
        // Measured: 0.901, 0.961, 0.940, 0.957 and 0.883; 0.866, 0.907, 0.905, 0.904 and 0.779.
        let names = ["STCF k=1 of 8", "STCF k=2 of 8", "STCF k=2 of 4", "STCF k=1 twice", "double window of 36"];
        for (view, least) in
            [(View::Discs, [0.89, 0.95, 0.93, 0.945, 0.87]), (View::BarAndGrating, [0.855, 0.895, 0.895, 0.895, 0.77])]
        {
            let clean = view.events(size, duration).expect("good");
            let mixture = Mixture::new(clean, size, duration, Noise { leak: 0.2, shot: 5.0, seed: 0 }).expect("good");
            let auc = |name: &str| {
                let contestant = contestants().into_iter().find(|contestant| contestant.name == name).expect(name);
                curve(&contestant, &mixture).expect("good").auc()
            };
            for (name, least) in names.into_iter().zip(least) {
                let auc = auc(name);
                assert!(auc > least, "{name} separates the {} with an area of {auc}", view.name());
            }
            let auc = auc("refractory");
            assert!(auc < 0.6, "a refractory period alone has an area of {auc}");
        }
    }

    #[test]
    fn every_contestant_runs_at_every_setting() {
        let size = Geometry { cols: 9, rows: 5 };
        let duration = Duration::from_millis(100);
        let mixture = Mixture::new([], size, duration, Noise { leak: 0.2, shot: 100.0, seed: 0 }).expect("good");
        for contestant in contestants() {
            let curve = curve(&contestant, &mixture).expect(contestant.name);
            assert_eq!(curve.points.len(), contestant.varied.settings().len());
            assert!(curve.points.iter().all(|point| point.tpr == 0.0 && (0.0..=1.0).contains(&point.fpr)), "{curve:?}");
        }
    }
}
