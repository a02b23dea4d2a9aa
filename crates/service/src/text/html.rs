//! HTML without its markup. Only tags that HTML knows are left out, so that `List<String>` and `a < b` in plain text and Markdown stay.

use super::{Gap, Text};

/// Tags between words of different lines.
const BLOCKS: &[&str] = &[
    "address",
    "article",
    "aside",
    "blockquote",
    "body",
    "br",
    "center",
    "dd",
    "details",
    "div",
    "dl",
    "dt",
    "fieldset",
    "figure",
    "footer",
    "form",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "head",
    "header",
    "hr",
    "html",
    "li",
    "main",
    "nav",
    "ol",
    "p",
    "pre",
    "section",
    "summary",
    "table",
    "tbody",
    "thead",
    "tfoot",
    "tr",
    "ul",
];
/// Tags that may stand within a word.
const INLINE: &[&str] = &[
    "a", "abbr", "b", "big", "code", "del", "em", "font", "i", "ins", "kbd", "label", "mark", "q",
    "s", "samp", "small", "span", "strike", "strong", "sub", "sup", "tt", "u", "var", "wbr",
];
/// Tags between words of one line.
const SPACED: &[&str] = &[
    "audio", "button", "col", "colgroup", "iframe", "img", "input", "svg", "td", "th", "video",
];
/// Tags whose content is no text.
const SILENT: &[&str] = &["script", "style", "template", "title"];

pub(super) fn strip(html: &str, text: &mut Text) {
    let mut rest = html;
    while let Some(at) = rest.find(['<', '&']) {
        text.plain(&rest[..at]);
        if text.is_full() {
            return;
        }
        rest = if rest.as_bytes()[at] == b'<' {
            tag(&rest[at..], text)
        } else {
            entity(&rest[at..], text)
        };
    }
    text.plain(rest);
}

/// Passes over a tag or a comment; what is none is text. Answers what follows.
fn tag<'h>(html: &'h str, text: &mut Text) -> &'h str {
    if html.starts_with("<!--") {
        return html.split_once("-->").map_or("", |(_, rest)| rest);
    }
    let inner = &html[1..];
    let closes = inner.starts_with('/');
    let named = inner.strip_prefix('/').unwrap_or(inner);
    let end = named
        .find(|char: char| !char.is_ascii_alphanumeric())
        .unwrap_or(named.len());
    let (name, after) = named.split_at(end.min(16));
    let known = |names: &[&str]| names.iter().any(|known| known.eq_ignore_ascii_case(name));
    let is_namespace = after.starts_with(':') && !name.is_empty();
    let is_whole =
        after.starts_with(|char: char| char == '>' || char == '/' || char.is_whitespace());
    // Word writes tags of its own namespace.
    let gap = if is_namespace || known(INLINE) {
        Gap::None
    } else if known(SPACED) {
        Gap::Space
    } else if known(BLOCKS) || known(SILENT) {
        Gap::Line
    } else {
        text.plain("<");
        return inner;
    };
    // A tag has no other one in it, so that nothing is looked through twice.
    let ends = after
        .find(['<', '>'])
        .filter(|&at| after.as_bytes()[at] == b'>');
    let Some(end) = ends.filter(|_| is_namespace || is_whole) else {
        text.plain("<");
        return inner;
    };
    text.gap(gap);
    let rest = &after[end + 1..];
    if known(SILENT) && !closes {
        return silent(rest, name);
    }
    rest
}

/// What follows the closing tag.
fn silent<'h>(html: &'h str, name: &str) -> &'h str {
    let mut rest = html;
    while let Some((_, after)) = rest.split_once("</") {
        let is_end = after
            .get(..name.len())
            .is_some_and(|end| end.eq_ignore_ascii_case(name));
        if is_end {
            return after.split_once('>').map_or("", |(_, rest)| rest);
        }
        rest = after;
    }
    ""
}

fn entity<'h>(html: &'h str, text: &mut Text) -> &'h str {
    let inner = &html[1..];
    let end = inner
        .bytes()
        .take(10)
        .position(|byte| byte == b';')
        .unwrap_or(0);
    if let Some(char) = decode(&inner[..end]) {
        text.plain(char.encode_utf8(&mut [0; 4]));
        return &inner[end + 1..];
    }
    text.plain("&");
    inner
}

fn decode(name: &str) -> Option<char> {
    if let Some(number) = name.strip_prefix('#') {
        let code = match number.strip_prefix(['x', 'X']) {
            Some(digits) => u32::from_str_radix(digits, 16),
            None => number.parse(),
        };
        return char::from_u32(code.ok()?);
    }
    Some(match name {
        "amp" => '&',
        "lt" => '<',
        "gt" => '>',
        "quot" => '"',
        "apos" => '\'',
        "nbsp" => ' ',
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn plain(html: &str) -> String {
        let mut text = Text::default();
        strip(html, &mut text);
        text.into_string()
    }

    #[test]
    fn markup_goes_and_words_stay() {
        for (html, expected) in [
            ("<p>wo<b>rd</b></p><p>next</p>", "word\nnext"),
            (
                "one<br/>two<td>three</td><img src=\"x\">four",
                "one\ntwo three four",
            ),
            (
                "<style>p { color: red }</style>a<SCRIPT>x</b></script>b",
                "a\nb",
            ),
            ("a<!-- no -->b", "ab"),
            ("List<String> a < b && b > c", "List<String> a < b && b > c"),
            ("&amp;lt; &#228;&#xE4; &unknown; &", "&lt; ää &unknown; &"),
            ("<o:p>Word</o:p>", "Word"),
            ("it ends <a href=", "it ends <a href="),
            ("if i<b-1 and c>d", "if i<b-1 and c>d"),
            ("<title>no</title >yes", "yes"),
        ] {
            assert_eq!(plain(html), expected, "{html}");
        }
    }

    #[test]
    fn hostile_markup_takes_no_time() {
        for piece in ["<a ", "<script ", "&#x", "<!--", "</", "<", "&amp"] {
            plain(&piece.repeat(1_000_000 / piece.len()));
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(html in "(<|>|/|&|;|#|x|a|p|script|語| |\"|!--|-->){0,40}") {
            let text = plain(&html);
            // What is text once is text for ever: joining reads it again.
            let mut again = Text::default();
            again.join(&text);
            prop_assert_eq!(again.into_string(), text);
        }
    }
}
