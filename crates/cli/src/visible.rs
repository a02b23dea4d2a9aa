//! Text from elsewhere on a terminal: what would steer it, or turn the direction of reading, is shown as its number.

use std::fmt::Write as _;

/// The text with controls and invisible marks as `\u{202e}`; joiners that scripts and emoji need stay.
pub(crate) fn visible(text: impl AsRef<str>) -> String {
    let text = text.as_ref();
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_control() || is_invisible(c) {
            // Writing to a string cannot fail.
            _ = write!(out, "\\u{{{:x}}}", u32::from(c));
        } else {
            out.push(c);
        }
    }
    out
}

fn is_invisible(c: char) -> bool {
    matches!(c, '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_steers_a_terminal_is_shown_and_scripts_are_left_alone() {
        assert_eq!(
            visible("a\u{1b}[31m\u{202e}fdp.exe\u{feff}\n"),
            "a\\u{1b}[31m\\u{202e}fdp.exe\\u{feff}\\u{a}"
        );
        for plain in [
            "हिन्दी",
            "ภาษาไทย",
            "e\u{301}",
            "👩\u{200d}💻",
            "it's \"so\" \\",
        ] {
            assert_eq!(visible(plain), plain);
        }
    }
}
