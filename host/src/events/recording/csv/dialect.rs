//! The separator between the fields of a line, and the decimal mark.
//!
//! A separator stands between two fields. Each field may be empty or quoted; spaces around a field are ignored. If spaces
//! are the separator, several spaces count as one.

use super::number::Number;

/// The notation of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Dialect {
    separator: u8,
    /// The decimal mark.
    mark: u8,
}

impl Dialect {
    /// All dialects, the most common first.
    const ALL: [Self; 8] = {
        const fn with(separator: u8, mark: u8) -> Dialect {
            Dialect { separator, mark }
        }
        [
            with(b';', b'.'),
            with(b'\t', b'.'),
            with(b',', b'.'),
            with(b' ', b'.'),
            with(b';', b','),
            with(b'\t', b','),
            with(b',', b','), // quoted numbers
            with(b' ', b','),
        ]
    };

    /// The dialect in which the lines have the most numbers.
    pub(super) fn of(lines: &[&[u8]]) -> Self {
        let numbers = |dialect: Self| -> usize {
            lines.iter().map(|line| dialect.fields(line).filter(|field| dialect.number(field).is_some()).count()).sum()
        };
        let [usual, ..] = Self::ALL;
        // The first of the best: `max_by_key` returns the last.
        Self::ALL.into_iter().rev().max_by_key(|dialect| numbers(*dialect)).unwrap_or(usual)
    }

    /// The fields of a line.
    pub(super) fn fields(self, line: &[u8]) -> Fields<'_> {
        Fields { rest: Some(line), separator: self.separator }
    }

    pub(super) fn number(self, field: &[u8]) -> Option<Number> {
        Number::read(field, self.mark)
    }

    /// Names of columns. Their separator may differ from that of the numbers; they may contain spaces unless space
    /// separates.
    pub(super) fn names(self, line: &[u8]) -> Vec<String> {
        let mut separators = [self.separator, b';', b'\t', b','].into_iter().filter(|separator| *separator != b' ');
        let separator = separators.find(|separator| line.contains(separator)).unwrap_or(b' ');
        let fields = Fields { rest: Some(line), separator };
        fields.map(|field| String::from_utf8_lossy(field).into_owned()).collect()
    }

    /// The hint for decimal commas where commas also separate.
    pub(super) fn comma_hint(self) -> &'static str {
        if self.separator == b',' && !self.decimal_comma() {
            "; decimal commas are read where semicolons, tabs or spaces separate the fields"
        } else {
            ""
        }
    }

    /// Why the decimal mark is a comma.
    pub(super) fn comma_reason(self) -> &'static str {
        if self.separator == b',' { "numbers in quotes have commas" } else { "no comma separates the fields" }
    }

    /// Whether the decimal mark is a comma.
    pub(super) fn decimal_comma(self) -> bool {
        self.mark == b','
    }
}

/// The fields of a line, without surrounding spaces and quotes.
pub(super) struct Fields<'a> {
    rest: Option<&'a [u8]>,
    separator: u8,
}

impl<'a> Fields<'a> {
    /// The part of `line` before the next separator, and the part after it, if there is a separator.
    #[inline]
    fn split(&self, line: &'a [u8]) -> (&'a [u8], Option<&'a [u8]>) {
        let also = if self.separator == b' ' { b'\t' } else { self.separator };
        match line.iter().position(|byte| *byte == self.separator || *byte == also) {
            Some(end) => (line.get(..end).unwrap_or(line), line.get(end + 1..)),
            None => (line, None),
        }
    }

    /// The quoted field at the start of `line`; it may contain the separator.
    #[cold]
    fn quoted(&mut self, line: &'a [u8]) -> Option<&'a [u8]> {
        let inside = line.trim_ascii_start().strip_prefix(b"\"")?;
        let (field, rest) = inside.split_at(inside.iter().position(|byte| *byte == b'"')?);
        self.rest = self.split(rest).1;
        Some(field)
    }
}

impl<'a> Iterator for Fields<'a> {
    type Item = &'a [u8];

    #[inline]
    fn next(&mut self) -> Option<&'a [u8]> {
        let mut line = self.rest?;
        if self.separator == b' ' {
            line = line.trim_ascii_start();
            if line.is_empty() {
                self.rest = None;
                return None;
            }
        }
        let (field, rest) = self.split(line);
        self.rest = rest;
        let field = field.trim_ascii();
        let quoted = if field.first() == Some(&b'"') { self.quoted(line) } else { None };
        Some(quoted.map_or(field, <[u8]>::trim_ascii))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(separator: u8, line: &str) -> Vec<String> {
        let dialect = Dialect { separator, mark: b'.' };
        dialect.fields(line.as_bytes()).map(|field| String::from_utf8_lossy(field).into_owned()).collect()
    }

    #[test]
    fn fields_of_lines() {
        let cases: [(u8, &str, &[&str]); 12] = [
            (b',', "1,2,3", &["1", "2", "3"]),
            (b',', " 1 , 2,\t3 ", &["1", "2", "3"]),
            (b',', ",t,,x,", &["", "t", "", "x", ""]),
            (b';', "1,5;2", &["1,5", "2"]),
            (b',', "\"1,5\", \"a b\" ,\"\",2", &["1,5", "a b", "", "2"]),
            (b',', "\"1,5", &["\"1", "5"]),
            (b'\t', "1\t\t2", &["1", "", "2"]),
            (b' ', "1  2 \t 3 ", &["1", "2", "3"]),
            (b' ', "1\t2 3", &["1", "2", "3"]),
            (b' ', "\"1 2\" 3", &["1 2", "3"]),
            (b' ', " ", &[]),
            (b',', "", &[""]),
        ];
        for (separator, line, expected) in cases {
            assert_eq!(fields(separator, line), expected, "{line}");
        }
    }

    #[test]
    fn dialects_of_texts() {
        let cases = [
            ("1,2,3,0", b',', b'.'),
            ("1, 2, 3, 0", b',', b'.'),
            ("1.5,2,3,0", b',', b'.'),
            ("1 2 3 0", b' ', b'.'),
            ("1.5\t2 \t3\t0", b'\t', b'.'),
            ("1.5;2;3;0", b';', b'.'),
            ("1;2;3;0", b';', b'.'),
            ("1,5;2;3;0", b';', b','),
            ("1,5\t2\t3\t0", b'\t', b','),
            ("1,5 2 3 0", b' ', b','),
            ("\"1,5\",2,3,0", b',', b','),
            ("\"1.5\",\"2\",\"3\",\"0\"", b',', b'.'),
        ];
        for (line, separator, mark) in cases {
            assert_eq!(Dialect::of(&[line.as_bytes()]), Dialect { separator, mark }, "{line}");
        }
    }
}
