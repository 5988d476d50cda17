//! A model file as source for a microcontroller: the table of the model, and the plan of a pipeline around it.
//!
//! ```text
//! sensor --bins of b x b pixels, dt microseconds--> frames --model--> output
//! ```

use super::{Input, ModelFile};
use crate::{Error, Exported, Geometry, Polarity, Result};
use foveola_core::Shape;

impl ModelFile {
    /// The model as Rust source for a microcontroller: what [`Model::to_rust`](crate::Model::to_rust) writes, and the constant
    /// `PLAN` of type `foveola_pipeline::Plan`. The source needs `foveola-core` and `foveola-pipeline`.
    ///
    /// Frames have `rows` x `cols` pixels, each of which counts the events of `binning` x `binning` pixels of the sensor. Without
    /// `polarity` in the file a model of two channels takes [`Polarity::Split`], others [`Polarity::Signed`].
    ///
    /// ```
    /// # let text = "version = 1\n[[layer]]\nname = \"slow\"\nkind = \"LowPass\"\ntau = \"6ms\"\n";
    /// let file = foveola::ModelFile::parse(text, ".")?;
    /// let exported = file.to_firmware([64, 64], 5)?;
    /// assert!(exported.source.contains("Geometry { cols: 320, rows: 320 }"));
    /// # Ok::<(), foveola::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Parameter`] for another size than that of the file, a binning of 0, frames that do not last whole microseconds, a
    /// number of channels other than 1 and 2, and event filters, which the pipeline does not have; otherwise the errors of
    /// [`ModelFile::model`] and [`Model::to_rust`](crate::Model::to_rust).
    pub fn to_firmware(&self, [rows, cols]: [usize; 2], binning: u16) -> Result<Exported> {
        let (polarity, dt) = (self.input.polarity_on_a_sensor()?, self.input.microseconds()?);
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
        let model = self.model()?;
        let lead = model.signature(shape)?.lead;
        if lead > 0 {
            let expected =
                "1, as a pipeline takes; TimePadding and a Delay with a length only pass through a convolution in time";
            return Err(refused("frames that a chunk of one frame gives", &(lead + 1).to_string(), expected));
        }
        let mut exported = model.to_rust(shape)?;
        let plan = plan(&exported, geometry, binning, polarity, dt);
        exported.source += &plan;
        Ok(exported)
    }
}

impl Input {
    /// How events become frames.
    fn polarity_on_a_sensor(&self) -> Result<Polarity> {
        if !self.events.is_empty() {
            return Err(refused(
                "input.events",
                "a chain of event filters",
                "none: a pipeline has no event filters yet",
            ));
        }
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

fn plan(exported: &Exported, Geometry { cols, rows }: Geometry, binning: u16, polarity: Polarity, dt: u64) -> String {
    let ([input, output, state, scratch], tables) = (exported.ram, exported.tables);
    format!(
        "\n/// Microseconds of a frame.\n\
         pub const DT: u64 = {dt};\n\n\
         /// A sensor of {cols} x {rows} pixels, in bins of {binning} x {binning} of them, and the model.\n\
         ///\n\
         /// Bytes of RAM: {input} for an input frame, {output} for an output frame, {state} of state, {scratch} of scratch.\n\
         /// Bytes of flash: {tables} for weights and other tables.\n\
         pub const PLAN: foveola_pipeline::Plan<'static> = constant!(foveola_pipeline::Plan::new(\n    \
             MODEL,\n    \
             foveola_core::events::Geometry {{ cols: {cols}, rows: {rows} }},\n    \
             {binning},\n    \
             foveola_core::events::Polarity::{polarity:?},\n    \
             DT,\n\
         ));\n"
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
        refused("events = [\"stcf:k=2,tau=5ms\"]", [6, 8], 2, "no event filters");
        refused("", [6, 8], 0, "binning is 0");
        refused("", [6, 8], 9000, "72000 x 54000");
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
