//! Text from elsewhere on a terminal: what would steer it, or turn the direction of reading, is shown as its number.

use std::fmt::Write as _;

use model::is_unseen;

/// The text with controls and invisible marks as `\u{202e}`; joiners that scripts and emoji need stay.
pub(crate) fn visible(text: impl AsRef<str>) -> String {
    let text = text.as_ref();
    let mut out = String::with_capacity(text.len());
    let mut in_flag = false;
    for c in text.chars() {
        // The flags of Scotland and others are a black flag with letters that nobody sees.
        in_flag = c == BLACK_FLAG || (in_flag && is_tag(c));
        if c.is_control() || is_unseen(c) || (is_tag(c) && !in_flag) {
            // Writing to a string cannot fail.
            _ = write!(out, "\\u{{{:x}}}", u32::from(c));
        } else {
            out.push(c);
        }
    }
    out
}

const BLACK_FLAG: char = '\u{1f3f4}';

fn is_tag(c: char) -> bool {
    matches!(c, '\u{e0000}'..='\u{e007f}')
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
        assert_eq!(
            visible("a\u{61c}b\u{ad}c\u{e0041}"),
            "a\\u{61c}b\\u{ad}c\\u{e0041}"
        );
        for plain in [
            "हिन्दी",
            "ภาษาไทย",
            "e\u{301}",
            "👩\u{200d}💻",
            "🏴\u{e0067}\u{e0062}\u{e007f}",
            "it's \"so\" \\",
        ] {
            assert_eq!(visible(plain), plain);
        }
    }
}
