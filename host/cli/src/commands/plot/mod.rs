//! `foveola model plot`: responses of a model to a flash, its gain for gratings, and its weights.

mod axes;
mod gain;
mod page;
pub(super) mod weights;

use super::guard::Guard;
use super::models::{build, frames, read, title};
use crate::args::model::PlotArgs;
use crate::args::refuse;
use crate::text::{Lines, print};
use crate::units::{seconds, thousands};
use foveola::npy::NpyWriter;
use foveola::picture::panels;
use foveola::{Error, Flash, Model, ModelFile, Resolution, Result};
use foveola_core::Shape;
use ndarray::{Array4, Axis};
use page::{A_LAYER, Page};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

/// The model, the flash, and where files go.
struct Plot<'a> {
    args: &'a PlotArgs,
    file: &'a ModelFile,
    model: Model,
    flash: Flash,
    wrote: Vec<(PathBuf, String)>,
}

pub(super) fn plot(args: &PlotArgs) -> Result<()> {
    let file = read(&args.file, &args.set)?;
    let model = build(&file, args.weights.as_deref())?;
    let frame = frames(&file, args.size)?;
    let mut flash = Flash { amplitude: args.flash, background: args.background, ..Flash::new(frame) };
    flash.pixel = args.pixel.map_or(flash.pixel, |(row, col)| [row, col]);
    flash.frames = args.duration.map(|us| frames_of(us, file.input().dt));
    let mut plot = Plot { args, file: &file, model, flash, wrote: Vec::new() };
    let pages = plot.responses()?;
    let weights = weights::pages(&plot.model, frame, file.input().dt)?;

    let stems = pages.iter().map(Page::stem).chain(weights.iter().map(|page| page.stem.clone()));
    let names = stems.flat_map(|stem| [format!("{stem}.npy"), format!("{stem}.dark.npy"), format!("{stem}.png")]);
    Guard::new("model plot", Some(&file), &args.weights).check_folder(&args.out, names)?;
    std::fs::create_dir_all(&args.out).map_err(|source| {
        let reason = format!("cannot be made a folder for the pictures: {source}");
        Error::Data { path: args.out.clone(), reason }
    })?;
    for page in &pages {
        let path = plot.path(&page.stem(), "png");
        panels(&path, &page.title(), &page.notes(), &page.rows())?;
        plot.wrote.push((path, format!("the response of {}", page.what())));
        plot.save(page)?;
    }
    for page in &weights {
        let path = plot.path(&page.stem, "png");
        panels(&path, &page.title, &page.notes, &page.rows)?;
        plot.wrote.push((path, page.title.clone()));
    }
    plot.report(&pages)
}

impl Plot<'_> {
    /// A page for each output and each layer that was asked for, and for each channel of the input.
    fn responses(&self) -> Result<Vec<Page>> {
        let mut layers: Vec<(String, String)> =
            self.file.outputs().map(|(name, layer)| (name.to_owned(), layer.to_owned())).collect();
        for layer in &self.args.layer {
            // An output may have the name of another layer.
            let name = match layers.iter().find(|(name, _)| name == layer) {
                Some((_, of_output)) if of_output != layer => format!("{layer}{A_LAYER}"),
                _ => layer.clone(),
            };
            if !layers.iter().any(|(known, _)| *known == name) {
                layers.push((name, layer.clone()));
            }
        }
        let mut pages = Vec::new();
        for (name, layer) in &layers {
            for channel in 0..self.flash.frame.channels {
                let flash = Flash { channel, ..self.flash.clone() };
                let mut response = self.model.layer_response(layer.as_str(), &flash)?;
                response.name.clone_from(name);
                let stages = self.model.linear_responses(layer.as_str(), &flash)?;
                pages.push(Page::new(response, stages, flash, self.resolution()));
            }
        }
        Ok(pages)
    }

    fn resolution(&self) -> Resolution {
        self.file.resolution()
    }

    fn path(&self, stem: &str, ending: &str) -> PathBuf {
        self.args.out.join(format!("{stem}.{ending}"))
    }

    /// Writes the samples of a response; those after a dark flash too, if they are others.
    fn save(&mut self, page: &Page) -> Result<()> {
        let stem = page.stem();
        let path = self.path(&stem, "npy");
        write(&path, &page.response.bright)?;
        self.wrote.push((path, format!("its samples ({})", dims(&page.response.bright))));
        if !page.response.linear {
            let path = self.path(&format!("{stem}.dark"), "npy");
            write(&path, &page.response.dark)?;
            self.wrote.push((path, "those after a dark flash".into()));
        }
        Ok(())
    }

    fn report(&self, pages: &[Page]) -> Result<()> {
        if self.args.json {
            let Shape { channels, rows, cols } = self.flash.frame;
            let [row, col] = self.flash.pixel;
            let value = json!({
                "name": self.file.name(),
                "input": [channels, rows, cols],
                "dt_us": self.file.input().dt * 1e6,
                "pixels_per_degree": self.file.input().pixels_per_degree,
                "flash": { "amplitude": self.flash.amplitude, "background": self.flash.background, "row": row, "col": col },
                "responses": pages.iter().map(Page::as_json).collect::<Vec<Value>>(),
                "wrote": self.wrote.iter().map(|(path, _)| path.display().to_string()).collect::<Vec<_>>(),
            });
            return print(&format!("{value:#}\n"));
        }
        let mut lines = Lines::default();
        lines.push("model", title(self.file, &self.args.file));
        let Shape { rows, cols, .. } = self.flash.frame;
        let [row, col] = self.flash.pixel;
        let (amplitude, background) = (self.flash.amplitude, self.flash.background);
        let dt = seconds(self.file.input().dt);
        lines.push(
            "flash",
            format!("{amplitude} on {background} for {dt}, at row {row}, column {col} of {rows} x {cols}"),
        );
        for page in pages {
            lines.push_all(&page.what(), page.report());
        }
        lines.push("wrote", format!("in {}:", self.args.out.display()));
        for (path, what) in &self.wrote {
            lines.push("", format!("{}  {what}", path.file_name().unwrap_or_default().display()));
        }
        print(&lines.0)
    }
}

/// The frames of `dt` seconds in a duration; exits if they are more than a response may have.
fn frames_of(us: u64, dt: f64) -> usize {
    let frames = ((us as f64 * 1e-6 / dt).round() as usize).max(1);
    if frames > Flash::MOST_FRAMES {
        let [frame, most] = [dt, dt * Flash::MOST_FRAMES as f64].map(seconds);
        let (frames, limit) = (thousands(frames as u64), thousands(Flash::MOST_FRAMES as u64));
        refuse(&format!(
            "--duration {}s has {frames} frames of {frame}; expected {limit} at most, {most} (a longer input.dt has fewer)",
            us as f64 * 1e-6
        ));
    }
    frames
}

/// Writes samples as an array (time, channel, row, col), without the axis of channels if there is one.
fn write(path: &Path, samples: &Array4<f32>) -> Result<()> {
    let mut writer = NpyWriter::create(path)?;
    samples.axis_iter(Axis(1)).try_for_each(|frame| writer.push(frame))?;
    writer.finish().map(|_| ())
}

/// What `write` writes, in words.
fn dims(samples: &Array4<f32>) -> String {
    match samples.dim() {
        (1, frames, rows, cols) => format!("{frames} x {rows} x {cols}: time, row, col"),
        (channels, frames, rows, cols) => format!("{frames} x {channels} x {rows} x {cols}: time, channel, row, col"),
    }
}
