//! `foveola model quantise`: a model in samples of 16 bits, with full scales from a recording.

use super::guard::Guard;
use super::input::Input;
use super::models::{read, title};
use crate::args::RunArgs;
use crate::args::model::QuantiseArgs;
use crate::columns::{Column, side_by_side};
use crate::text::{complain, print, width};
use crate::units::{plural, thousands};
use foveola::{Error, Model, ModelFile, Quantised, Result, Samples, movie, shown};
use ndarray::{Array5, Axis, concatenate};
use serde_json::json;

/// The most samples of a recording that are kept: 1 GB.
const MOST_SAMPLES: usize = 1 << 28;
/// Frames that are read at a time.
const CHUNK: usize = 64;

pub(super) fn quantise(args: &QuantiseArgs) -> Result<()> {
    let mut file = whole(args)?;
    let guard = Guard::new("model quantise", Some(&file), &args.on);
    args.out.iter().try_for_each(|path| guard.check("--out", path, "a file that is not read"))?;
    let frames = recording(args)?;
    let is_movie = match &args.on {
        Some(path) => args.common.format.is_none() && movie::kind(path)?.is_some(),
        None => false,
    };
    let stated = args.set.iter().any(|(key, _)| key == "input.full_scale").then_some(file.input().full_scale);
    let given = args.full_scale.or(stated);
    if let Some(full_scale) = given.filter(|full_scale| !is_movie && *full_scale < 1.0) {
        let (item, value, expected) = ("model quantise", full_scale.to_string(), "1 event or more");
        return Err(Error::Parameter { item, name: "--full-scale", value, expected });
    }
    let samples = match given {
        Some(full_scale) => Samples::Q15 { full_scale },
        None if !is_movie => Samples::EVENTS,
        None => Samples::Q15 { full_scale: of_movie(args, &frames)? },
    };
    let mut model = file.model()?;
    let found = model.quantise(&frames, samples, args.headroom, args.range)?;
    file.set_samples(&model)?;
    let archive = match &args.out {
        Some(path) => file.write(path)?,
        None => None,
    };
    if args.common.json {
        return print(&format!("{:#}\n", as_json(args, &model, &found)));
    }
    let mut text = format!("{}\n\n", title(&file, &args.file));
    text += &table(&file, &model, &found);
    text += &format!(
        "\ninput     {} up to {}, full scale {}\n",
        plural(frames.len_of(Axis(2)) as u64, "frame"),
        brief(found.largest_input),
        found.full_scale,
    );
    if found.saturated_input > 0 {
        text += &format!("          {} samples of it saturate\n", thousands(found.saturated_input));
    }
    text += &match found.safe_input {
        safe if safe > 0.0 => format!("safe      no sample saturates for any input up to {}\n", brief(safe)),
        _ => "safe      some input may saturate, however small\n".into(),
    };
    for path in args.out.iter().chain(&archive) {
        text += &format!("wrote     {}\n", shown(path));
    }
    print(&text)
}

/// The model without full scales but those of `--set`, which stay.
fn whole(args: &QuantiseArgs) -> Result<ModelFile> {
    let mut file = read(&args.file, &[])?;
    let mut floats = file.model()?;
    floats.set_samples(Samples::F32)?;
    for layer in 0..floats.len() {
        floats.set_full_scale(layer, None)?;
        floats.set_inner_scale(layer, None)?;
    }
    file.set_samples(&floats)?;
    args.set.iter().try_for_each(|(key, value)| file.set(key, value))?;
    Ok(file)
}

/// The full scale for the samples of a movie.
fn of_movie(args: &QuantiseArgs, frames: &Array5<f32>) -> Result<f64> {
    let most = frames.iter().fold(0.0, |most: f32, x| most.max(x.abs()));
    let most = (f64::from(most) * args.headroom).max(args.range.unwrap_or(0.0));
    if most > 32768.0 && most.is_finite() {
        let (item, name, expected) = ("model quantise", "the largest sample", "32768 at most, with the headroom");
        return Err(Error::Parameter { item, name, value: brief(most), expected });
    }
    // What is not finite is told with its place when the model reads it.
    Ok(if most > 0.0 && most.is_finite() { most.log2().ceil().exp2().max(1.0 / 32768.0) } else { 1.0 })
}

/// The frames of the recording, `(batch, channel, time, row, col)`.
fn recording(args: &QuantiseArgs) -> Result<Array5<f32>> {
    let run = RunArgs {
        input: args.on.clone(),
        model: args.file.display().to_string(),
        set: args.set.clone(),
        dt: args.dt,
        no_pictures: true,
        common: args.common.clone(),
        ..RunArgs::default()
    };
    let mut input = Input::open(&run.with_file()?)?;
    let (mut pieces, mut samples) = (Vec::new(), 0_usize);
    let mut left = args.frames;
    while left > 0 {
        let Some(piece) = input.next_chunk(left.min(CHUNK))? else { break };
        let (frames, len) = (piece.len_of(Axis(2)), piece.len());
        samples = samples.saturating_add(len);
        if samples > MOST_SAMPLES && !pieces.is_empty() {
            let used = args.frames - left;
            complain(&format!("warning: only {} are used, 1 GB; --frames {used}\n", plural(used as u64, "frame")));
            break;
        }
        pieces.push(piece.to_owned());
        left -= frames.min(left);
    }
    let views: Vec<_> = pieces.iter().map(|piece| piece.view()).collect();
    concatenate(Axis(2), &views).map_err(|_| Error::Data {
        path: args.on.clone().unwrap_or_default(),
        reason: "no frame; expected one or more".into(),
    })
}

/// To four digits.
fn brief(number: f64) -> String {
    let digits = 3 - number.abs().max(1e-9).log10().floor() as i32;
    let text = format!("{number:.*}", digits.clamp(0, 9) as usize);
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').into() } else { text }
}

/// A ratio in dB.
fn decibels(snr: f64) -> String {
    // Beyond that, what is off are the floats.
    if snr > 130.0 {
        "exact".into()
    } else if snr.is_nan() {
        "-".into()
    } else {
        format!("{:.1} dB", if snr.abs() < 0.05 { 0.0 } else { snr })
    }
}

fn table(file: &ModelFile, model: &Model, found: &Quantised) -> String {
    let scale = |scale: Option<f64>| scale.map_or_else(|| "-".into(), brief);
    let rows = found.layers.iter().map(|layer| {
        let kind = file.layers().iter().find(|entry| entry.name() == layer.name).map_or("", |entry| entry.kind());
        [
            layer.name.clone(),
            kind.into(),
            brief(layer.largest),
            scale(Some(layer.full_scale).filter(|scale| !scale.is_nan())),
            scale(model.inner_scale(&*layer.name)),
            decibels(layer.snr),
            if layer.saturated == 0 { "-".into() } else { thousands(layer.saturated) },
        ]
    });
    let titles = ["layer", "kind", "largest", "full scale", "inner", "snr", "saturated"].map(str::to_owned);
    let rows: Vec<_> = [titles].into_iter().chain(rows).collect();
    let columns: [Column; 7] = std::array::from_fn(|column| Column {
        cells: rows.iter().map(|row| row[column].clone()).collect(),
        right: column > 1,
    });
    side_by_side(&columns, width())
}

fn as_json(args: &QuantiseArgs, model: &Model, found: &Quantised) -> serde_json::Value {
    let finite = |number: f64| number.is_finite().then_some(number);
    let layers = found.layers.iter().map(|layer| {
        json!({
            "name": layer.name, "largest": layer.largest, "full_scale": finite(layer.full_scale),
            "inner_scale": model.inner_scale(&*layer.name), "snr_db": finite(layer.snr), "saturated": layer.saturated,
        })
    });
    json!({
        "full_scale": found.full_scale,
        "largest_input": found.largest_input,
        "saturated_input": found.saturated_input,
        "safe_input": found.safe_input,
        "layers": layers.collect::<Vec<_>>(),
        "wrote": args.out.as_ref().map(|path| path.display().to_string()),
    })
}
