//! `foveola model show --svg`: the graph of layers as a drawing, from the input at the left to the outputs at the right.
//!
//! Layers stand in columns, each to the right of all that it reads (longest path). A connection that passes columns has a
//! place between their boxes, so that no line crosses a box. Boxes of a column are ordered by the mean height of their
//! neighbours, a few times in both directions. Reference: Sugiyama, Tagawa and Toda 1981, Methods for visual understanding of
//! hierarchical system structures, doi:10.1109/TSMC.1981.4308636.

use super::model::dims;
use crate::text::print;
use foveola::{Error, LayerSummary, ModelFile, Result};
use foveola_core::Shape;
use std::collections::HashMap;
use std::fmt::Write as _;
use std::path::Path;

/// The most layers of a drawing that a person can read.
const MOST_LAYERS: usize = 300;

/// Writes the drawing.
pub(super) fn draw(file: &ModelFile, layers: &[LayerSummary], input: Shape, path: &Path) -> Result<()> {
    if layers.len() > MOST_LAYERS {
        let (name, value) = ("layers", layers.len().to_string());
        return Err(Error::Parameter { item: "model show --svg", name, value, expected: "300 or fewer" });
    }
    let text = graph(file, layers, input).svg(&caption(file));
    std::fs::write(path, text).map_err(|source| Error::Io { path: path.into(), source })?;
    print(&format!("wrote     {}\n", path.display()));
    Ok(())
}

fn caption(file: &ModelFile) -> String {
    [file.name(), file.about()].into_iter().filter(|text| !text.is_empty()).collect::<Vec<_>>().join(": ")
}

/// What a box is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Role {
    Input,
    Layer,
    Output,
    /// A place for a connection between the boxes of a column.
    Passage,
}

/// A box, or a place for a connection.
#[derive(Clone, Debug)]
struct Place {
    role: Role,
    lines: Vec<String>,
    column: usize,
    x: f64,
    y: f64,
    width: f64,
    height: f64,
}

/// A connection: the places that it goes through, and the weight that is written at its end.
#[derive(Clone, Debug)]
struct Edge {
    places: Vec<usize>,
    label: String,
    /// Height at which it ends at the last place.
    end: f64,
}

#[derive(Clone, Debug, Default)]
struct Graph {
    places: Vec<Place>,
    edges: Vec<Edge>,
}

/// Width of a letter of 13 pixels, and height of a line.
const LETTER: f64 = 7.4;
const LINE: f64 = 17.0;
const PAD: f64 = 12.0;
/// Between the boxes of a column, and between columns.
const GAP: f64 = 22.0;
const BETWEEN: f64 = 70.0;
const MARGIN: f64 = 24.0;
/// Height of the caption.
const HEAD: f64 = 34.0;
/// The most letters of a line in a box.
const LETTERS: usize = 30;
/// Height of a place for a connection, and between the ends of connections at a box.
const PASSAGE: f64 = 10.0;
const ENDS: f64 = 18.0;

/// The input, the layers and the outputs, with their places.
fn graph(file: &ModelFile, layers: &[LayerSummary], input: Shape) -> Graph {
    let in_words = |shape: Shape| dims(shape).map(|n| n.to_string()).join(" x ");
    let mut boxes = vec![(Role::Input, vec!["input".to_owned(), in_words(input)])];
    // For each box, those that it reads, with what is written there.
    let mut reads: Vec<Vec<(usize, String)>> = vec![Vec::new()];
    let mut places: HashMap<&str, usize> = HashMap::from([("input", 0)]);
    for layer in layers {
        let settings = file.settings(&layer.name);
        let mut lines = vec![layer.name.clone(), layer.kind.to_owned()];
        lines.extend(settings.iter().map(|(key, value)| format!("{key} {value}")));
        lines.push(in_words(layer.output));
        let term = |(name, weight): &(String, f64)| Some((*places.get(name.as_str())?, label(*weight)));
        reads.push(layer.inputs.terms.iter().filter_map(term).collect());
        places.insert(&layer.name, boxes.len());
        boxes.push((Role::Layer, lines));
    }
    for (name, layer) in file.outputs() {
        if let Some(place) = places.get(layer) {
            reads.push(vec![(*place, String::new())]);
            boxes.push((Role::Output, vec![name.to_owned(), "output".to_owned()]));
        }
    }
    Graph::new(boxes, &reads)
}

fn label(weight: f64) -> String {
    match weight {
        1.0 => String::new(),
        -1.0 => "\u{2212}1".into(),
        weight => format!("\u{d7} {weight}").replace('-', "\u{2212}"),
    }
}

impl Graph {
    /// Boxes and what each of them reads, earlier ones, with their places.
    fn new(boxes: Vec<(Role, Vec<String>)>, reads: &[Vec<(usize, String)>]) -> Self {
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
    fn path(&self, edge: &Edge) -> Vec<[(f64, f64); 2]> {
        let last = edge.places.len() - 1;
        let step = |i: usize| {
            let (from, to) = (&self.places[edge.places[i]], &self.places[edge.places[i + 1]]);
            let end = if i + 1 == last { edge.end } else { to.middle() };
            [(from.x + from.width, from.middle()), (to.x, end)]
        };
        (0..last).map(step).collect()
    }

    fn svg(&self, caption: &str) -> String {
        let right = self.places.iter().map(|place| place.x + place.width).fold(0.0, f64::max) + MARGIN;
        let width = right.max(caption.chars().count() as f64 * LETTER * 1.2 + 2.0 * MARGIN);
        let height = self.places.iter().map(|place| place.y + place.height).fold(0.0, f64::max) + MARGIN;
        let mut svg = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width:.0}\" height=\"{height:.0}\" \
             viewBox=\"0 0 {width:.0} {height:.0}\" font-family=\"sans-serif\" font-size=\"13\">\n\
             <rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>\n\
             <text x=\"{MARGIN}\" y=\"{:.1}\" font-size=\"15\" font-weight=\"bold\" fill=\"#16181d\">{}</text>\n",
            MARGIN + 8.0,
            escaped(caption),
        );
        for edge in &self.edges {
            let mut path = String::new();
            let steps = self.path(edge);
            for (i, [(x, y), (to_x, to_y)]) in steps.iter().enumerate() {
                let middle = (x + to_x) / 2.0;
                // The tip of the arrow, not the line, ends at the box.
                let to_x = if i + 1 == steps.len() { to_x - 7.0 } else { *to_x };
                let _ = write!(
                    path,
                    "{}{x:.1} {y:.1} C{middle:.1} {y:.1} {middle:.1} {to_y:.1} {to_x:.1} {to_y:.1} ",
                    if i == 0 { 'M' } else { 'L' }
                );
            }
            let _ = writeln!(
                svg,
                "<path d=\"{}\" fill=\"none\" stroke=\"#5b6475\" stroke-width=\"1.5\"/>",
                path.trim_end()
            );
            if let Some([_, (x, y)]) = steps.last() {
                let _ = writeln!(
                    svg,
                    "<path d=\"M{x:.1} {y:.1} L{:.1} {:.1} L{:.1} {:.1} Z\" fill=\"#5b6475\"/>",
                    x - 9.0,
                    y - 4.5,
                    x - 9.0,
                    y + 4.5,
                );
                if !edge.label.is_empty() {
                    let _ = writeln!(
                        svg,
                        "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\" font-weight=\"bold\" fill=\"#a03a16\">{}</text>",
                        x - 11.0,
                        y - 4.0,
                        escaped(&edge.label),
                    );
                }
            }
        }
        for place in &self.places {
            let (fill, stroke, radius) = match place.role {
                Role::Input => ("#e3f1fb", "#2a6f9e", 14),
                Role::Layer => ("#f5f6f8", "#5b6475", 4),
                Role::Output => ("#fdeedd", "#b5651d", 14),
                Role::Passage => continue,
            };
            let Place { x, y, width, height, .. } = place;
            let _ = writeln!(
                svg,
                "<rect x=\"{x:.1}\" y=\"{y:.1}\" width=\"{width:.1}\" height=\"{height:.1}\" rx=\"{radius}\" \
                 fill=\"{fill}\" stroke=\"{stroke}\"/>"
            );
            let top = y + (height - place.lines.len() as f64 * LINE) / 2.0;
            for (line, text) in place.lines.iter().enumerate() {
                let (weight, color) = if line == 0 { ("bold", "#16181d") } else { ("normal", "#49505e") };
                let _ = writeln!(
                    svg,
                    "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"middle\" font-weight=\"{weight}\" fill=\"{color}\">{}</text>",
                    x + width / 2.0,
                    top + LINE * line as f64 + 13.0,
                    escaped(text),
                );
            }
        }
        svg + "</svg>\n"
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

/// Text as XML; characters that XML does not allow are left out.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars().filter(|letter| !letter.is_control()) {
        match letter {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            letter => escaped.push(letter),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    /// No two boxes overlap, no connection crosses a box, and each ends where its boxes are.
    fn check(graph: &Graph) {
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

    /// Opening and closing tags pair, and there is no other `<` or `&`.
    fn is_xml(text: &str) {
        let mut open: Vec<&str> = Vec::new();
        for part in text.split('<').skip(1) {
            let (tag, after) = part.split_once('>').expect("a tag ends");
            let name = tag.trim_matches('/').split_whitespace().next().expect("a name");
            match (tag.starts_with('/'), tag.ends_with('/')) {
                (true, _) => assert_eq!(open.pop(), Some(name)),
                (_, true) => {}
                _ => open.push(name),
            }
            assert_eq!(tag.matches('"').count() % 2, 0, "{tag}");
            for entity in after.split('&').skip(1) {
                assert!(["amp;", "lt;", "gt;", "quot;"].iter().any(|known| entity.starts_with(known)), "{entity}");
            }
        }
        assert!(open.is_empty(), "{open:?}");
    }

    #[test]
    fn random_graphs_are_readable() {
        let mut state = 1_u64;
        let mut next = |n: usize| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) as usize % n
        };
        for layers in 1..40 {
            let mut boxes = vec![(Role::Input, vec!["input".into()])];
            let mut reads = vec![Vec::new()];
            for layer in 1..=layers {
                let count = 1 + next(4).min(layer - 1);
                reads.push((0..count).map(|_| (next(layer), label([1.0, -1.0, 0.5][next(3)]))).collect());
                boxes.push((Role::Layer, vec!["x".repeat(next(50)); 1 + next(5)]));
            }
            reads.push(vec![(next(layers), String::new())]);
            boxes.push((Role::Output, vec!["output".into()]));
            let graph = Graph::new(boxes, &reads);
            check(&graph);
            is_xml(&graph.svg("a & b"));
        }
    }

    #[test]
    fn the_graph_of_a_file_has_its_layers() {
        let text = r#"
            version = 1
            name = "on"
            about = "a < b & \"c\""
            [[layer]]
            name = "fast"
            kind = "LowPass"
            tau = "5ms"
            [[layer]]
            name = "slow"
            kind = "LowPass"
            from = "input"
            tau = "50ms"
            [[layer]]
            name = "on"
            kind = "NLRectify"
            from = ["fast", "-0.5 * slow", "-input"]
            [outputs]
            rate = "on"
        "#;
        let file = ModelFile::parse(text, ".").expect("a model");
        let layers = file.model().and_then(|model| model.summary(Shape::new(1, 8, 9))).expect("layers");
        let graph = graph(&file, &layers, Shape::new(1, 8, 9));
        check(&graph);
        assert_eq!(graph.edges.len(), 6);
        let svg = graph.svg(&caption(&file));
        is_xml(&svg);
        for words in ["on: a &lt; b &amp; &quot;c&quot;", ">tau 50ms<", ">1 x 8 x 9<", ">\u{d7} \u{2212}0.5<", ">rate<"]
        {
            assert!(svg.contains(words), "no {words} in {svg}");
        }
    }
}
