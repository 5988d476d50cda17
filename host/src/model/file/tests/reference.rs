//! The tables of `docs/guide/model-files.md`, written from the tables of kinds, generators and keys.

use super::models;
use crate::model::file::generators::GENERATORS;
use crate::model::file::input::INPUT;
use crate::model::file::keys::{Default, Key};
use crate::model::file::kinds::KINDS;
use std::fmt::Write;

/// Where the hand-written part of the page ends.
const GENERATED: &str = "<!-- From here on generated: REGENERATE=1 cargo test -p foveola reference -->\n";

/// `REGENERATE=1 cargo test -p foveola reference` writes it anew.
#[test]
fn the_reference_is_current() {
    let path = models().join("../../docs/guide/model-files.md");
    let page = std::fs::read_to_string(&path).expect("the page");
    let (by_hand, found) = page.split_once(GENERATED).expect("the mark");
    let expected = reference();
    if std::env::var_os("REGENERATE").is_some() {
        std::fs::write(&path, format!("{by_hand}{GENERATED}{expected}")).expect("written");
    } else {
        assert_eq!(found, expected, "REGENERATE=1 cargo test -p foveola reference");
    }
}

fn reference() -> String {
    let mut text = String::from("\n## Input\n\n");
    keys(&mut text, &[&INPUT]);
    text += "\n## Kinds of layers\n\nBesides `name`, `kind`, `from` and full scales for [integers](integers.md), a layer has the keys \
             of its kind.\n";
    for kind in &KINDS {
        let _ = write!(text, "\n### {}\n\n{}\n\n", kind.name, sentence(kind.about));
        keys(&mut text, kind.keys);
    }
    text += "\n## Generators\n";
    for generator in &GENERATORS {
        let _ = write!(text, "\n### {}\n\n{}\n\n", generator.name, sentence(generator.about));
        keys(&mut text, generator.keys);
    }
    text.trim_end().to_owned() + "\n"
}

fn keys(text: &mut String, groups: &[&[Key]]) {
    if groups.is_empty() {
        return;
    }
    text.push_str("| key | value | if absent | |\n|---|---|---|---|\n");
    for key in groups.iter().copied().flatten() {
        let absent = match key.default {
            Default::Needed => "an error".into(),
            Default::Is(value) => format!("`{}`", value.trim_matches('"')),
            Default::Else(otherwise) => otherwise.to_owned(),
        };
        let _ = writeln!(text, "| `{}` | {} | {absent} | {} |", key.name, key.what.in_words(), key.about);
    }
}

fn sentence(words: &str) -> String {
    // Equations stay as they are.
    if words.contains(['=', '^']) || words.starts_with("max") || words.starts_with("x ") {
        return format!("`{words}`");
    }
    let mut letters = words.chars();
    letters.next().map_or_else(String::new, |first| format!("{}{}.", first.to_uppercase(), letters.as_str()))
}
