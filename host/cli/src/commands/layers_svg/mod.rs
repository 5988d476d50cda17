//! `foveola model show --svg`: the graph of layers as a drawing, from the input at the left to the outputs at the right.

mod layout;

use super::guard::Guard;
use crate::text::print;
use foveola::{Error, LayerSummary, ModelFile, Result, shown, write_file};
use foveola_core::Shape;
use layout::{Graph, LETTER, LINE, MARGIN, Place, Role};
use std::collections::HashMap;
use std::fmt::Write as _;
use std::path::Path;

/// The most layers of a drawing that a person can read.
const MOST_LAYERS: usize = 300;

/// Writes the drawing.
pub(super) fn draw(file: &ModelFile, caption: &str, layers: &[LayerSummary], input: Shape, path: &Path) -> Result<()> {
    if layers.len() > MOST_LAYERS {
        let (name, value) = ("layers", layers.len().to_string());
        return Err(Error::Parameter { item: "model show --svg", name, value, expected: "300 or fewer" });
    }
    Guard::new("model show", Some(file), []).check("--svg", path, "a file that the model does not read")?;
    let text = graph(file, layers, input).svg(caption);
    write_file(path, text)?;
    print(&format!("wrote     {}\n", shown(path)))
}

/// The input, the layers and the outputs, with their places.
fn graph(file: &ModelFile, layers: &[LayerSummary], input: Shape) -> Graph {
    let mut boxes = vec![(Role::Input, vec!["input".to_owned(), input.to_string()])];
    // For each box, those that it reads, with what is written there.
    let mut reads: Vec<Vec<(usize, String)>> = vec![Vec::new()];
    let mut places: HashMap<&str, usize> = HashMap::from([("input", 0)]);
    for layer in layers {
        let settings = file.settings(&layer.name);
        let mut lines = vec![layer.name.clone(), layer.kind.to_owned()];
        lines.extend(settings.iter().map(|(key, value)| format!("{key} {value}")));
        lines.push(layer.output.to_string());
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
    use super::super::models::title;
    use super::layout::tests::check;
    use super::*;

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
        let svg = graph.svg(&title(&file, Path::new("")));
        is_xml(&svg);
        for words in ["on: a &lt; b &amp; &quot;c&quot;", ">tau 50ms<", ">1 x 8 x 9<", ">\u{d7} \u{2212}0.5<", ">rate<"]
        {
            assert!(svg.contains(words), "no {words} in {svg}");
        }
    }
}
