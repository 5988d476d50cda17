//! A model file as source for a microcontroller: the table of the model, and the plan of a pipeline around it.
//!
//! ```text
//! sensor --event filters--> bins of b x b pixels, dt microseconds --> frames --model--> outputs
//! ```

use super::{Input, ModelFile};
use crate::model::integers::exponent;
use crate::{Error, EventFilterSpec, Exported, ExportedLayer, Geometry, Model, Polarity, Result, Samples};
use foveola_core::Shape;
use foveola_core::events::{EventChain, EventStage};
use std::collections::BTreeSet;
use std::fmt::Write as _;

impl ModelFile {
    /// The model as Rust source for a microcontroller: what [`Model::to_rust`](crate::Model::to_rust) writes, the names of the
    /// outputs (`OUTPUTS`), the event filters of `[input]` (`EVENT_FILTERS`), and the constant `PLAN` of type
    /// `foveola_pipeline::Plan`. The source needs `foveola-core` and `foveola-pipeline`.
    ///
    /// Frames have `rows` x `cols` pixels, each of which counts the events of `binning` x `binning` pixels of the sensor. Without
    /// `polarity` in the file a model of two channels takes [`Polarity::Split`], others [`Polarity::Signed`].
    ///
    /// ```
    /// # let text = "version = 1\n[[layer]]\nname = \"slow\"\nkind = \"LowPass\"\ntau = \"6ms\"\n";
    /// let file = foveola::ModelFile::parse(text, ".")?;
    /// let exported = file.to_firmware([64, 64], 5)?;
    /// assert!(exported.source.contains("Geometry { cols: 320, rows: 320 }"));
    /// assert!(exported.source.contains("pub const PLAN: foveola_pipeline::Plan"));
    /// # Ok::<(), foveola::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Parameter`] for another size than that of the file, a binning of 0, frames that do not last whole microseconds, a
    /// number of channels other than 1 and 2, and event filters that change the size of the sensor; otherwise the errors of
    /// [`ModelFile::model`] and [`Model::to_rust`](crate::Model::to_rust).
    pub fn to_firmware(&self, size: [usize; 2], binning: u16) -> Result<Exported> {
        self.to_firmware_with(&self.model()?, size, binning)
    }

    /// [`ModelFile::to_firmware`] with a model of this file whose parameters were changed, as by
    /// [`Model::load_weights`](crate::Model::load_weights).
    ///
    /// # Errors
    /// As [`ModelFile::to_firmware`].
    pub fn to_firmware_with(&self, model: &Model, [rows, cols]: [usize; 2], binning: u16) -> Result<Exported> {
        let (polarity, dt) = (self.input.polarity_on_a_sensor()?, self.input.microseconds()?);
        let filters = &self.input.events;
        if binning == 0 {
            return Err(refused("binning", "0", "1 or more"));
        }
        let channels = if polarity == Polarity::Split { 2 } else { 1 };
        let shape = self.frames(Shape { channels, rows, cols })?;
        let sides = [cols, rows].map(|side| side.saturating_mul(binning.into()));
        if sides.iter().any(|side| *side > usize::from(u16::MAX)) {
            let pixels = format!("{} x {}", sides[0], sides[1]);
            return Err(refused("columns x rows of the sensor", &pixels, "65535 at most, each"));
        }
        let geometry = Geometry { cols: sides[0], rows: sides[1] };
        let lead = model.signature(shape)?.lead;
        if lead > 0 {
            let expected =
                "1, as a pipeline takes; TimePadding and a Delay with a length only pass through a convolution in time";
            return Err(refused("frames that a chunk of one frame gives", &(lead + 1).to_string(), expected));
        }
        let mut exported = model.to_rust(shape)?;
        if !filters.is_empty() {
            let state = 4 * state_len(geometry, filters)?;
            exported.event_filters = state;
            let name = "event filters".into();
            // Of a frame without events.
            exported.layers.insert(0, ExportedLayer { name, tables: 0, state, frame: 0, instructions: Some(0) });
        }
        let plan = plan(&exported, geometry, binning, polarity, dt, filters, counting_to(model.samples())?);
        let names: Vec<&str> = self.outputs().map(|(name, _)| name).collect();
        write!(
            exported.source,
            "\n/// Names of the outputs: of `MODEL`, and of its further outputs in their order.\n\
             #[allow(dead_code, reason = \"a program may know them\")]\n\
             pub const OUTPUTS: [&str; {}] = {names:?};\n{plan}",
            names.len()
        )
        .expect("a String grows");
        Ok(exported)
    }
}

/// The exponent of the events that a sample of 1 stands for; none for floats.
fn counting_to(samples: Samples) -> Result<Option<i32>> {
    let Samples::Q15 { full_scale } = samples else { return Ok(None) };
    let exponent = exponent(full_scale).filter(|exponent| *exponent >= 0);
    let refuse = || refused("input.full_scale", &full_scale.to_string(), "1 event or more, a power of two up to 32768");
    exponent.map(Some).ok_or_else(refuse)
}

/// Words of state of a chain of event filters, none of which may change the size of the sensor.
fn state_len(sensor: Geometry, filters: &[EventFilterSpec]) -> Result<usize> {
    let stage = |filter: &EventFilterSpec| {
        let stage = filter.stage(sensor)?;
        if stage.output(sensor) == sensor {
            return Ok(stage);
        }
        let expected = "filters that keep the size of the sensor; bins make frames smaller";
        Err(refused("input.events", &filter.to_string(), expected))
    };
    let stages: Vec<EventStage<'_>> = filters.iter().map(stage).collect::<Result<_>>()?;
    let chain = EventChain::new(sensor, &stages).map_err(|error| Error::layer("event filters", error))?;
    Ok(chain.state_len())
}

impl Input {
    /// How events become frames.
    fn polarity_on_a_sensor(&self) -> Result<Polarity> {
        match (self.polarity, self.channels) {
            (Some(polarity), _) => Ok(polarity),
            (None, None | Some(1)) => Ok(Polarity::Signed),
            (None, Some(2)) => Ok(Polarity::Split),
            (None, Some(channels)) => {
                Err(refused("input.channels", &channels.to_string(), "1 or 2, the channels of frames of events"))
            }
        }
    }
}

fn refused(name: &'static str, value: &str, expected: &'static str) -> Error {
    Error::Parameter { item: "the model on a microcontroller", name, value: value.into(), expected }
}

fn plan(
    exported: &Exported,
    sensor: Geometry,
    binning: u16,
    polarity: Polarity,
    dt: u64,
    filters: &[EventFilterSpec],
    counting_to: Option<i32>,
) -> String {
    let ([input, output, state, scratch], tables) = (exported.ram, exported.tables);
    let Geometry { cols, rows } = sensor;
    let mut text = format!(
        "\n/// Microseconds of a frame.\n\
         pub const DT: u64 = {dt};\n\n\
         /// Pixels of the sensor.\n\
         pub const SENSOR: foveola_core::events::Geometry = foveola_core::events::Geometry {{ cols: {cols}, rows: {rows} }};\n\n"
    );
    let plan = format!(
        "constant!(foveola_pipeline::Plan::new(\n    \
             MODEL,\n    SENSOR,\n    {binning},\n    foveola_core::events::Polarity::{polarity:?},\n    DT,\n\
         ))"
    );
    let plan = match counting_to {
        None => plan,
        Some(exponent) => format!("{plan}\n.counting_to({exponent})"),
    };
    let (words, plan) = if filters.is_empty() {
        (String::new(), plan)
    } else {
        text += &chain(filters);
        let words = format!(", {} for event filters", exported.event_filters);
        (words, format!("constant!({plan}\n.filtered(EVENT_FILTERS))"))
    };
    write!(
        text,
        "/// The sensor, in bins of {binning} x {binning} pixels, and the model.\n\
         ///\n\
         /// Bytes of RAM: {input} for an input frame, {output} for an output frame, {state} of state, {scratch} of scratch{words}.\n\
         /// Bytes of flash: {tables} for weights and other tables.\n\
         pub const PLAN: foveola_pipeline::Plan<'static, Sample> = {plan};\n"
    )
    .expect("a String grows");
    text
}

/// The event filters as a table and a chain.
fn chain(filters: &[EventFilterSpec]) -> String {
    let mut stages = String::new();
    let mut names = BTreeSet::from(["EventChain"]);
    for filter in filters {
        let (source, types) = filter.source();
        writeln!(stages, "    // {filter}\n    {source},").expect("a String grows");
        names.extend(types);
    }
    let names = names.into_iter().collect::<Vec<_>>().join(", ");
    format!(
        "use foveola_core::events::{{{names}}};\n\n\
         static EVENT_STAGES: [EventStage<'static>; {}] = [\n{stages}];\n\n\
         /// What the events pass before they are counted.\n\
         pub const EVENT_FILTERS: EventChain<'static> = constant!(EventChain::new(SENSOR, &EVENT_STAGES));\n\n",
        filters.len()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(input: &str) -> ModelFile {
        let text =
            format!("version = 1\n[input]\n{input}\n[[layer]]\nname = \"slow\"\nkind = \"LowPass\"\ntau = \"6ms\"\n");
        ModelFile::parse(&text, ".").expect("a good file")
    }

    #[test]
    fn plans_are_those_of_the_input() {
        let exported = |input: &str| file(input).to_firmware([6, 8], 2).expect("a good model").source;
        let has = |source: &str, words: &[&str]| {
            assert!(words.iter().all(|word| source.contains(word)), "{words:?} in\n{source}");
        };
        has(&exported(""), &["INPUT: Shape = Shape::new(1, 6, 8)", "cols: 16, rows: 12", "Signed", "DT: u64 = 1000;"]);
        has(&exported("channels = 2\ndt = \"250us\""), &["Shape::new(2, 6, 8)", "Polarity::Split", "DT: u64 = 250;"]);
        let filtered = exported("events = [\"stcf:k=2,tau=5ms\", \"on\"]");
        has(
            &filtered,
            &["Stcf::new(SENSOR, Neighbours::Eight, 2, 5000)", "PolarityOnly::On", ".filtered(EVENT_FILTERS)"],
        );
        has(&exported("rows = 6\npolarity = \"split\""), &["Shape::new(2, 6, 8)", "cols: 16, rows: 12", "Split"]);
    }

    #[test]
    fn what_events_do_not_give_is_refused() {
        let refused = |input: &str, frame: [usize; 2], binning: u16, words: &str| {
            let error = file(input).to_firmware(frame, binning).expect_err("not for a sensor").to_string();
            assert!(error.contains(words), "{error}");
        };
        refused("channels = 3", [6, 8], 2, "input.channels is 3; expected 1 or 2");
        refused("rows = 3", [6, 8], 2, "the model file: [input] says 3 rows; the frames have 6");
        refused("dt = \"1.5us\"", [6, 8], 2, "input.dt is 1.5 us");
        refused(
            "events = [\"stcf\", \"downsample:2\"]",
            [6, 8],
            2,
            "input.events is downsample:2; expected filters that keep",
        );
        let mut events = file("full_scale = 0.5");
        events.set("sample", "q15").expect("a kind of sample");
        let error = events.to_firmware([6, 8], 2).expect_err("half an event").to_string();
        assert!(error.contains("input.full_scale is 0.5; expected 1 event or more"), "{error}");
        refused("", [6, 8], 0, "binning is 0");
        refused("", [6, 8], 9000, "72000 x 54000");
    }

    #[test]
    fn integers_count_events_as_the_file_says() {
        let integers = |input: &str| {
            let mut file = file(input);
            file.set("sample", "q15").expect("a kind of sample");
            file.to_firmware([6, 8], 2).expect("a good model")
        };
        assert!(integers("full_scale = 16").source.contains(".counting_to(4)"));
        let exported = integers("");
        assert!(exported.source.contains("pub type Sample = Q15;") && exported.source.contains(".counting_to(7)"));
        assert_eq!(exported.ram, [2 * 48, 2 * 48, 4 * 48, 0], "input, output, state with remainders, scratch");
    }

    #[test]
    fn a_padding_at_the_end_is_refused() {
        let text = "version = 1\n[[layer]]\nname = \"padded\"\nkind = \"TimePadding\"\nlength = \"4 frames\"\n";
        let file = ModelFile::parse(text, ".").expect("a good file");
        let error = file.to_firmware([6, 8], 1).expect_err("five frames").to_string();
        assert!(error.contains("frames that a chunk of one frame gives is 5"), "{error}");
    }

    #[test]
    fn arrays_are_those_of_the_weights() {
        let text = "version = 1\n[parameters]\nfile = \"b.npy\"\n[[layer]]\nname = \"a\"\nkind = \"Conv2d\"\n\
                    weight = { file = \"$file\" }\n[[layer]]\nname = \"b\"\nkind = \"Conv2d\"\nweight = [[1]]\n";
        let folder = tempfile::tempdir().expect("a folder");
        let array = folder.path().join("b.npy");
        ndarray_npy::write_npy(&array, &ndarray::Array2::<f32>::ones((3, 3))).expect("written");
        let file = ModelFile::parse(text, folder.path()).expect("a good file");
        assert_eq!(file.arrays(), [array]);
    }
}
