//! A saved state: the stream of a model at some frame, to go on from.

use super::stream::Stream;

/// The state of a model's stream after some frame: [`Model::state`](crate::Model::state) takes it,
/// [`Model::set_state`](crate::Model::set_state) goes on from it.
///
/// It belongs to models whose layers have the same sizes and to frames of the same shape; a model that it does not fit refuses
/// the next chunk with [`Error::StateChanged`](crate::Error) or [`Error::FrameSize`](crate::Error). Taking it costs nothing: its
/// samples are copied when the model goes on. With the feature `serde` it is `Serialize` and `Deserialize`.
///
/// ```
/// use foveola::{LowPass, Model, Resolution};
/// let movie = ndarray::Array3::<f32>::ones((10, 4, 4));
/// let mut model = Model::of(LowPass::new(0.01, Resolution::DEFAULT)?);
/// model.process(&movie)?;
/// let state = model.state();
/// let first = model.process(&movie)?.to_owned();
/// model.set_state(&state);
/// assert_eq!((model.process(&movie)?.to_owned(), state.time()), (first, 10));
/// # Ok::<(), foveola::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct SavedState(pub(super) Stream);

impl SavedState {
    /// Frames before it.
    pub fn time(&self) -> u64 {
        self.0.t
    }
}

#[cfg(feature = "serde")]
mod serial {
    use super::SavedState;
    use crate::model::stream::Parts;
    use serde::de::Error as _;
    use serde::ser::Error as _;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    impl Serialize for SavedState {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            self.0.parts().map_err(S::Error::custom)?.serialize(serializer)
        }
    }

    impl<'de> Deserialize<'de> for SavedState {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            Parts::deserialize(deserializer)?.stream().map(SavedState).map_err(D::Error::custom)
        }
    }
}

#[cfg(test)]
mod tests {
    #[cfg(feature = "serde")]
    use super::SavedState;
    #[cfg(feature = "serde")]
    use crate::Weight;
    use crate::{Conv1d, Conv3d, Delay, Diff, Error, LowPass, Model, Resolution};
    use ndarray::Array3;
    #[cfg(feature = "serde")]
    use ndarray::{Array5, arr2};

    fn model() -> Model {
        let conv = Conv3d::new(1, 2, [3, 3, 3]).expect("a kernel");
        Model::of(conv).then(LowPass::new(0.01, Resolution::DEFAULT).expect("a time constant"))
    }

    fn movie(frames: usize, side: usize) -> Array3<f32> {
        Array3::from_shape_fn((frames, side, side), |(t, r, c)| ((7 * t + 3 * r + c) % 5) as f32)
    }

    #[cfg(feature = "serde")]
    #[test]
    fn a_state_comes_back_from_text_with_its_bits() {
        let mut there = model();
        there.process(movie(7, 4)).expect("a good chunk");
        let text = serde_json::to_string(&there.state()).expect("text");
        let mut back = model();
        back.set_state(&serde_json::from_str(&text).expect("the state"));
        assert_eq!(back.time(), 7);
        let [expected, found]: [Array5<f32>; 2] =
            [&mut there, &mut back].map(|model| model.process(movie(5, 4)).expect("a good chunk").to_owned());
        assert_eq!(found, expected);
    }

    #[test]
    fn a_state_that_is_not_the_models_is_refused() {
        let mut there = model();
        there.process(movie(7, 4)).expect("a good chunk");
        let state = there.state();
        let mut other = Model::of(LowPass::new(0.01, Resolution::DEFAULT).expect("a time constant"));
        other.set_state(&state);
        assert!(matches!(other.process(movie(1, 4)), Err(Error::StateChanged { .. })));
        let mut same = model();
        same.set_state(&state);
        assert!(matches!(same.process(movie(1, 5)), Err(Error::FrameSize { .. })));
    }

    #[cfg(feature = "serde")]
    #[test]
    fn a_damaged_form_is_refused() {
        let (mut there, mut same) = (model(), model());
        there.process(movie(7, 4)).expect("a good chunk");
        let mut form = serde_json::to_value(there.state()).expect("a value");
        form["samples"].as_array_mut().expect("samples").pop();
        let short: SavedState = serde_json::from_value(form.clone()).expect("a state of another length");
        same.set_state(&short);
        assert!(same.process(movie(1, 4)).is_err(), "a sample is missing");
        for (key, value) in [("version", 2.into()), ("batch", 0.into()), ("samples", "none".into())] {
            let mut form = form.clone();
            form[key] = value;
            assert!(serde_json::from_value::<SavedState>(form).is_err(), "{key}");
        }
    }

    #[cfg(feature = "serde")]
    #[test]
    fn a_weight_comes_back() {
        let weight = Weight::from(arr2(&[[1.0_f32, 2.5], [-3.0, 0.1]])).normalize().no_flip();
        let text = serde_json::to_string(&weight).expect("text");
        let back: Weight = serde_json::from_str(&text).expect("the weight");
        assert_eq!(format!("{back:?}"), format!("{weight:?}"));
        let bad = text.replace("[2,2]", "[2,3]");
        assert!(bad != text && serde_json::from_str::<Weight>(&bad).is_err(), "{bad}");
    }

    /// Models that were changed as often tell nothing of each other: each looks at the state anew.
    #[test]
    fn a_state_of_another_model_is_checked() {
        let mut there = Model::of(Diff);
        there.process(movie(3, 4)).expect("a good chunk");
        let mut other = Model::of(Delay::new(1)); // whose state is as long
        other.set_state(&there.state());
        assert!(matches!(other.process(movie(1, 4)), Err(Error::StateChanged { .. })));

        let conv =
            |weight: f32| Model::of(Conv1d::new(1, 1, 3).expect("a kernel").with_weight([weight; 3]).expect("finite"));
        let (mut small, mut large) = (conv(1.0), conv(1e38));
        small.process(movie(3, 4) * 100.0).expect("within the range");
        large.set_state(&small.state());
        assert!(matches!(large.process(movie(1, 4) * 100.0), Err(Error::Overflow { .. })), "by its own weights");
    }
}
