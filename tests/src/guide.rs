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
    event_filters: "event-filters.md",
    coming_from_convis: "coming-from-convis.md",
    coming_from_opencv_scipy_pytorch: "coming-from-opencv-scipy-pytorch.md",
}
