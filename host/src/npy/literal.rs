//! Python literals, as in the headers of `.npy` files: text, integers, booleans, tuples, lists and dictionaries.

/// A literal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Literal {
    Text(String),
    Number(u64),
    Truth(bool),
    /// A tuple or a list.
    List(Vec<Self>),
    Dictionary(Vec<(Self, Self)>),
}

/// The deepest nesting of literals: headers need less, and deeper ones could overflow the stack.
const DEPTH: usize = 8;

impl Literal {
    /// Parses `text` as a literal.
    pub(super) fn read(text: &str) -> Option<Self> {
        let mut rest = text;
        let literal = Self::take(&mut rest, DEPTH)?;
        rest.trim().is_empty().then_some(literal)
    }

    /// The entry of a dictionary.
    pub(super) fn get(&self, key: &str) -> Option<&Self> {
        let Self::Dictionary(entries) = self else { return None };
        entries.iter().find(|(name, _)| name.text() == Some(key)).map(|(_, value)| value)
    }

    pub(super) fn text(&self) -> Option<&str> {
        if let Self::Text(text) = self { Some(text) } else { None }
    }

    pub(super) fn number(&self) -> Option<u64> {
        if let Self::Number(number) = self { Some(*number) } else { None }
    }

    pub(super) fn list(&self) -> Option<&[Self]> {
        if let Self::List(list) = self { Some(list) } else { None }
    }

    fn take(rest: &mut &str, depth: usize) -> Option<Self> {
        let depth = depth.checked_sub(1)?;
        *rest = rest.trim_start();
        let first = rest.chars().next()?;
        match first {
            '\'' | '"' => {
                let (text, after) = rest.get(1..)?.split_once(first)?;
                *rest = after;
                (!text.contains('\\')).then(|| Self::Text(text.into()))
            }
            '(' | '[' => {
                let close = if first == '(' { ')' } else { ']' };
                Self::items(rest, close, |rest| Self::take(rest, depth)).map(Self::List)
            }
            '{' => {
                let entry = |rest: &mut &str| {
                    let key = Self::take(rest, depth)?;
                    *rest = rest.trim_start().strip_prefix(':')?;
                    Some((key, Self::take(rest, depth)?))
                };
                Self::items(rest, '}', entry).map(Self::Dictionary)
            }
            _ => {
                let len = rest.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(rest.len());
                let (word, after) = rest.split_at(len);
                *rest = after;
                match word {
                    "True" => Some(Self::Truth(true)),
                    "False" => Some(Self::Truth(false)),
                    _ => word.strip_suffix('L').unwrap_or(word).parse().ok().map(Self::Number),
                }
            }
        }
    }

    /// The comma-separated items between the opening bracket and `close`.
    fn items<T>(rest: &mut &str, close: char, mut item: impl FnMut(&mut &str) -> Option<T>) -> Option<Vec<T>> {
        *rest = rest.get(1..)?;
        let mut items = Vec::new();
        loop {
            *rest = rest.trim_start();
            if let Some(after) = rest.strip_prefix(close) {
                *rest = after;
                return Some(items);
            }
            items.push(item(rest)?);
            *rest = rest.trim_start();
            match rest.strip_prefix(',') {
                Some(after) => *rest = after,
                None if rest.starts_with(close) => {}
                None => return None,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn literals_of_headers() {
        let header = "{'descr': [('t', '<i8'), (\"x\", '<u2', (2,))], 'fortran_order': False, 'shape': (3L, ), } \n";
        let header = Literal::read(header).expect("a dictionary");
        assert_eq!(header.get("fortran_order"), Some(&Literal::Truth(false)));
        assert_eq!(header.get("shape"), Some(&Literal::List(vec![Literal::Number(3)])));
        let descr = header.get("descr").and_then(Literal::list).expect("fields");
        assert_eq!((descr.len(), descr[1].list().map(<[_]>::len)), (2, Some(3)));
        for bad in ["", "(", "(1 2)", "{'a' 1}", "'a", "-1", "1 1", "é", &"(".repeat(100_000)] {
            assert_eq!(Literal::read(bad), None, "{bad:.20}");
        }
    }
}
