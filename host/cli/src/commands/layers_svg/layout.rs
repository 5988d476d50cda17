//! Places of boxes and connections, from left to right.
//!
//! Boxes stand in columns, each to the right of all that it reads (longest path). A connection that passes columns has a
//! place between their boxes, so that no line crosses a box. Boxes of a column are ordered by the mean height of their
//! neighbours, a few times in both directions. Reference: Sugiyama, Tagawa and Toda 1981, Methods for visual understanding of
//! hierarchical system structures, doi:10.1109/TSMC.1981.4308636.

use std::collections::HashMap;

/// What a box is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    Input,
    Layer,
    Output,
    /// A place for a connection between the boxes of a column.
    Passage,
}

/// A box, or a place for a connection.
#[derive(Clone, Debug)]
pub(super) struct Place {
    pub(super) role: Role,
    pub(super) lines: Vec<String>,
    column: usize,
    pub(super) x: f64,
    pub(super) y: f64,
    pub(super) width: f64,
    pub(super) height: f64,
}

/// A connection: the places that it goes through, and the weight that is written at its end.
#[derive(Clone, Debug)]
pub(super) struct Edge {
    places: Vec<usize>,
    pub(super) label: String,
    /// Height at which it ends at the last place.
    end: f64,
}

#[derive(Clone, Debug, Default)]
pub(super) struct Graph {
    pub(super) places: Vec<Place>,
    pub(super) edges: Vec<Edge>,
}

/// Width of a letter of 13 pixels, and height of a line.
pub(super) const LETTER: f64 = 7.4;
pub(super) const LINE: f64 = 17.0;
const PAD: f64 = 12.0;
/// Between the boxes of a column, and between columns.
const GAP: f64 = 22.0;
const BETWEEN: f64 = 70.0;
pub(super) const MARGIN: f64 = 24.0;
/// Height of the caption.
const HEAD: f64 = 34.0;
/// The most letters of a line in a box.
const LETTERS: usize = 30;
/// Height of a place for a connection, and between the ends of connections at a box.
const PASSAGE: f64 = 10.0;
const ENDS: f64 = 18.0;

impl Graph {
    /// Boxes and what each of them reads, earlier ones, with their places.
    pub(super) fn new(boxes: Vec<(Role, Vec<String>)>, reads: &[Vec<(usize, String)>]) -> Self {
        let mut graph = Self::default();
        for ((role, lines), reads) in boxes.into_iter().zip(reads) {
            let column = reads.iter().map(|(read, _)| graph.places[*read].column + 1).max().unwrap_or(0);
            let lines: Vec<String> = lines.iter().map(|line| cut(line)).collect();
            let height = (lines.len() as f64 * LINE + PAD).max(reads.len() as f64 * ENDS + 4.0);
            graph.places.push(Place { role, lines, column, x: 0.0, y: 0.0, width: 0.0, height });
        }
        // Outputs stand in the last column.
        let last = graph.places.iter().map(|place| place.column).max().unwrap_or(0);
        graph.places.iter_mut().filter(|place| place.role == Role::Output).for_each(|place| place.column = last);
        for (to, reads) in reads.iter().enumerate() {
            for (from, label) in reads {
                graph.connect(*from, to, label);
            }
        }
        graph.arrange();
        graph
    }

    /// A connection with a passage in each column between.
    fn connect(&mut self, from: usize, to: usize, label: &str) {
        let mut places = vec![from];
        for column in self.places[from].column + 1..self.places[to].column {
            places.push(self.places.len());
            let (role, lines) = (Role::Passage, Vec::new());
            self.places.push(Place { role, lines, column, x: 0.0, y: 0.0, width: 0.0, height: PASSAGE });
        }
        places.push(to);
        self.edges.push(Edge { places, label: label.to_owned(), end: 0.0 });
    }

    /// Gives each place its position, and each connection its end.
    fn arrange(&mut self) {
        let count = self.places.iter().map(|place| place.column + 1).max().unwrap_or(0);
        let mut columns = vec![Vec::new(); count];
        for (index, place) in self.places.iter().enumerate() {
            columns[place.column].push(index);
        }
        let mut neighbours = [vec![Vec::new(); self.places.len()], vec![Vec::new(); self.places.len()]];
        for edge in &self.edges {
            for pair in edge.places.windows(2) {
                neighbours[0][pair[1]].push(pair[0]);
                neighbours[1][pair[0]].push(pair[1]);
            }
        }
        for column in &columns {
            self.stack(column, |_, y| y);
        }
        for round in 0..12 {
            let side = round % 2;
            let order: Vec<usize> = if side == 0 { (0..count).collect() } else { (0..count).rev().collect() };
            for column in order {
                let wish = |graph: &Self, place: usize| -> f64 {
                    let others = &neighbours[side][place];
                    let sum: f64 = others.iter().map(|other| graph.places[*other].middle()).sum();
                    if others.is_empty() { graph.places[place].middle() } else { sum / others.len() as f64 }
                };
                let wishes: HashMap<usize, f64> =
                    columns[column].iter().map(|&place| (place, wish(self, place))).collect();
                columns[column].sort_by(|a, b| wishes[a].total_cmp(&wishes[b]));
                let places = columns[column].clone();
                self.stack(&places, |place, _| wishes[&place]);
            }
        }
        let top = self.places.iter().map(|place| place.y).fold(f64::INFINITY, f64::min);
        self.places.iter_mut().for_each(|place| place.y += MARGIN + HEAD - top);

        let mut x = MARGIN;
        for column in &columns {
            let letters = column.iter().flat_map(|&place| &self.places[place].lines).map(|line| line.chars().count());
            let width = letters.max().unwrap_or(0) as f64 * LETTER + 2.0 * PAD;
            for &place in column {
                (self.places[place].x, self.places[place].width) = (x, width);
            }
            x += width + BETWEEN;
        }
        self.end_edges();
    }

    /// Puts the places of a column one below the other, in their order, near the middles that they wish for.
    fn stack(&mut self, column: &[usize], wish: impl Fn(usize, f64) -> f64) {
        let mut bottom = f64::NEG_INFINITY;
        let mut off = 0.0;
        for &place in column {
            let height = self.places[place].height;
            let wished = wish(place, if bottom.is_finite() { bottom + GAP + height / 2.0 } else { 0.0 }) - height / 2.0;
            let y = wished.max(bottom + GAP);
            off += y - wished;
            self.places[place].y = y;
            bottom = y + height;
        }
        // All were pushed down: as much too low as too high on the average.
        let off = off / column.len().max(1) as f64;
        column.iter().for_each(|&place| self.places[place].y -= off);
    }

    /// Connections that end at one box end below each other, in the order in which they come.
    fn end_edges(&mut self) {
        let mut ends: HashMap<usize, Vec<usize>> = HashMap::new();
        for (index, edge) in self.edges.iter().enumerate() {
            ends.entry(edge.places[edge.places.len() - 1]).or_default().push(index);
        }
        for (place, mut edges) in ends {
            let before = |edge: usize| {
                let places = &self.edges[edge].places;
                self.places[places[places.len() - 2]].middle()
            };
            edges.sort_by(|a, b| before(*a).total_cmp(&before(*b)));
            let (middle, count) = (self.places[place].middle(), edges.len() as f64);
            for (i, edge) in edges.into_iter().enumerate() {
                self.edges[edge].end = middle + ENDS * (i as f64 - (count - 1.0) / 2.0);
            }
        }
    }

    /// The points of a connection between columns: pairs of a right and a left side.
    pub(super) fn path(&self, edge: &Edge) -> Vec<[(f64, f64); 2]> {
        let last = edge.places.len() - 1;
        let step = |i: usize| {
            let (from, to) = (&self.places[edge.places[i]], &self.places[edge.places[i + 1]]);
            let end = if i + 1 == last { edge.end } else { to.middle() };
            [(from.x + from.width, from.middle()), (to.x, end)]
        };
        (0..last).map(step).collect()
    }
}

impl Place {
    fn middle(&self) -> f64 {
        self.y + self.height / 2.0
    }
}

/// A line that fits into a box.
fn cut(line: &str) -> String {
    if line.chars().count() <= LETTERS {
        return line.to_owned();
    }
    line.chars().take(LETTERS - 1).chain(['\u{2026}']).collect()
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// No two boxes overlap, no connection crosses a box, and each ends where its boxes are.
    pub(crate) fn check(graph: &Graph) {
        for (i, a) in graph.places.iter().enumerate() {
            for b in &graph.places[i + 1..] {
                let apart_in_x = a.x + a.width < b.x || b.x + b.width < a.x;
                let apart_in_y = a.y + a.height < b.y || b.y + b.height < a.y;
                assert!(apart_in_x || apart_in_y, "{a:?} on {b:?}");
            }
            assert!(a.x > 0.0 && a.y > HEAD, "{a:?} on the page");
        }
        for edge in &graph.edges {
            let steps = graph.path(edge);
            let (from, to) = (&graph.places[edge.places[0]], &graph.places[edge.places[edge.places.len() - 1]]);
            let [(x, y), _] = steps[0];
            assert!(x == from.x + from.width && (from.y..from.y + from.height).contains(&y), "{edge:?}");
            let [_, (x, y)] = steps[steps.len() - 1];
            assert!(x == to.x && (to.y..to.y + to.height).contains(&y), "{edge:?}");
            // Between columns there are no boxes, and inside one a passage is as wide as the boxes.
            assert!(steps.iter().all(|[a, b]| (b.0 - a.0 - BETWEEN).abs() < 1e-6), "{edge:?}");
        }
    }
}
