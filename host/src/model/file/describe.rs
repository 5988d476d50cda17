//! Layers in the notation of a model file: values that read back as the same numbers, to the last bit.

use super::keys::{Default, Key};
use super::value::{Entry, Item, Table, Value, read_value};
use super::write::number_in_toml;
use crate::Layer;

/// The keys of a layer, and what they are for.
#[derive(Default)]
pub(super) struct Described {
    table: Table,
    /// The frame rate that the time constants of the layer are for; none if it has none.
    pub(super) steps_per_second: Option<f64>,
}

impl Described {
    /// With a value for `key`.
    pub(super) fn with(mut self, key: &'static str, value: Value) -> Self {
        self.table.push(Entry::new(key, value));
        self
    }

    /// With time constants for this frame rate.
    pub(super) fn at_rate(self, steps_per_second: f64) -> Self {
        Self { steps_per_second: Some(steps_per_second), ..self }
    }

    /// The values that are not the defaults of `keys`.
    pub(super) fn without_defaults(self, keys: &[&[Key]]) -> Table {
        // -0 equals 0, but has other bits, and so may what is computed with it.
        let is_negative_zero = |value: &Value| matches!(value, Value::Number(n) if *n == 0.0 && n.is_sign_negative());
        let is_default = |entry: &Entry| {
            if is_negative_zero(&entry.item.value) {
                return false;
            }
            let key = keys.iter().copied().flatten().find(|key| key.name == entry.key);
            match key.map(|key| key.default) {
                Some(Default::Is(text)) => read_value(text).is_ok_and(|default| default == entry.item.value),
                _ => false,
            }
        };
        self.table.into_iter().filter(|entry| !is_default(entry)).collect()
    }
}

/// What `with` says of a layer that is an `L`.
pub(super) fn of<L: Layer>(layer: &dyn Layer, with: impl FnOnce(&L, Described) -> Described) -> Option<Described> {
    layer.as_any().downcast_ref().map(|layer| with(layer, Described::default()))
}

/// An `L` without keys.
pub(super) fn plain<L: Layer>(layer: &dyn Layer) -> Option<Described> {
    of::<L>(layer, |_, described| described)
}

/// A name, such as that of a border.
pub(super) fn name(name: impl ToString) -> Value {
    Value::Text(name.to_string())
}

pub(super) fn whole(number: usize) -> Value {
    Value::Number(number as f64)
}

/// The shortest number that is read as the same 32-bit float.
pub(super) fn single(number: f32) -> Value {
    let shortest = format!("{number:e}").parse().unwrap_or(f64::from(number));
    // Reading rounds twice, to 64 bits and to 32.
    let comes_back = (shortest as f32).to_bits() == number.to_bits();
    Value::Number(if comes_back { shortest } else { f64::from(number) })
}

pub(super) fn frames(frames: usize) -> Value {
    Value::Text(if frames == 1 { "1 frame".into() } else { format!("{frames} frames") })
}

/// A time of `seconds`, in the unit in which it is the shortest among those that read back as the same number.
pub(super) fn duration(seconds: f64) -> Value {
    let digits = format!("{seconds:e}");
    let in_unit = |(unit, places, per_second): (&str, i32, f64)| {
        let (digits, exponent) = digits.split_once('e')?;
        let number: f64 = format!("{digits}e{}", exponent.parse::<i32>().ok()? + places).parse().ok()?;
        let comes_back = (number / per_second).to_bits() == seconds.to_bits();
        comes_back.then(|| format!("{}{unit}", number_in_toml(number)))
    };
    let units = [("s", 0, 1.0), ("ms", 3, 1e3), ("us", 6, 1e6)];
    let shortest = units.into_iter().filter_map(in_unit).min_by_key(String::len);
    Value::Text(shortest.unwrap_or_else(|| format!("{seconds:?}s")))
}

pub(super) fn list(values: impl IntoIterator<Item = Value>) -> Value {
    Value::List(values.into_iter().map(|value| Item { value, at: None }).collect())
}

/// Values in row-major order as nested lists.
pub(super) fn array(shape: &[usize], values: &[f32]) -> Value {
    match shape {
        [] => single(values.first().copied().unwrap_or_default()),
        [_, inner @ ..] => {
            let len = inner.iter().product::<usize>().max(1);
            list(values.chunks(len).map(|values| array(inner, values)))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_short() {
        for (seconds, text) in [
            (0.0, "0s"),
            (0.006, "6ms"),
            (0.1, "0.1s"),
            (0.0011, "1.1ms"),
            (25e-6, "25us"),
            (3.0, "3s"),
            (1e30, "1e30s"),
            (1.0 / 3.0, "0.3333333333333333s"),
        ] {
            assert_eq!(duration(seconds), Value::Text(text.into()));
        }
    }

    #[test]
    fn weights_are_short() {
        for number in [0.1, -0.0, 1.0, 1e-45, f32::MAX, f32::MIN_POSITIVE, 16_777_216.0, 0.333_333_34] {
            let Value::Number(found) = single(number) else { panic!("a number") };
            assert_eq!((found as f32).to_bits(), number.to_bits(), "{number:e}");
            assert!(number_in_toml(found).len() <= 14, "{found}");
        }
    }
}
