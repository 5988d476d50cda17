//! The examples of the guide in `docs/guide`, one module a page: they compile and run as doctests.

#![allow(clippy::doc_markdown, reason = "the pages are prose, with headings and names of other projects")]

macro_rules! pages {
    ($($name:ident: $file:literal,)*) => {
        $(
            #[doc = include_str!(concat!("../../docs/guide/", $file))]
            pub mod $name {}
        )*
    };
}

pages! {
    readme: "README.md",
    tutorial: "tutorial.md",
    padding_and_delays: "padding-and-delays.md",
    convolutions: "convolutions.md",
    receptive_fields: "receptive-fields.md",
    recursive: "recursive.md",
    nonlinearities_and_sums: "nonlinearities-and-sums.md",
    kernels: "kernels.md",
    model_files: "model-files.md",
    states_and_parameters: "states-and-parameters.md",
    event_filters: "event-filters.md",
    coming_from_convis: "coming-from-convis.md",
    coming_from_opencv_scipy_pytorch: "coming-from-opencv-scipy-pytorch.md",
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    /// What stands in parentheses after `](`, without the fragment.
    fn links(text: &str) -> impl Iterator<Item = &str> {
        let targets = text.split("](").skip(1).filter_map(|rest| rest.split([')', '#']).next());
        targets.filter(|target| !target.is_empty() && !target.contains("://"))
    }

    fn text(path: &Path) -> String {
        fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    }

    /// `mdbook build docs` copies what lies below `docs`, and makes pages of what the summary lists.
    #[test]
    fn every_page_is_in_the_book_and_every_link_leads_into_it() {
        let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs").canonicalize().expect("the pages");
        let summary = text(&docs.join("SUMMARY.md"));
        let listed: Vec<_> = links(&summary).map(|page| docs.join(page)).collect();
        for folder in [&docs, &docs.join("guide")] {
            for entry in fs::read_dir(folder).expect("a folder") {
                let page = entry.expect("an entry").path();
                if page.extension().is_none_or(|ending| ending != "md") || page.ends_with("SUMMARY.md") {
                    continue;
                }
                assert!(listed.contains(&page), "{} is not in the summary", page.display());
                for link in links(&text(&page)) {
                    let target = folder.join(link).canonicalize();
                    let inside = target.is_ok_and(|target| target.starts_with(&docs));
                    assert!(inside, "{}: {link} is not a file below docs", page.display());
                }
            }
        }
    }
}
