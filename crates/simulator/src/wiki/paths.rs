//! Page paths and the files that hold them: spaces become hyphens, hyphens and forbidden characters are escaped.

/// Characters that file names of a wiki escape.
const ESCAPED: [(char, &str); 8] = [
    ('-', "%2D"),
    (':', "%3A"),
    ('<', "%3C"),
    ('>', "%3E"),
    ('*', "%2A"),
    ('?', "%3F"),
    ('|', "%7C"),
    ('"', "%22"),
];

/// The file name of one title, without `.md`.
pub(super) fn encode(title: &str) -> String {
    let mut name = String::with_capacity(title.len());
    for letter in title.chars() {
        match ESCAPED.iter().find(|(plain, _)| *plain == letter) {
            Some((_, escape)) => name.push_str(escape),
            None if letter == ' ' => name.push('-'),
            None => name.push(letter),
        }
    }
    name
}

/// The title that a file name stands for.
pub(super) fn decode(name: &str) -> String {
    ESCAPED
        .iter()
        .fold(name.replace('-', " "), |text, (plain, escape)| {
            text.replace(escape, &plain.to_string())
        })
}

/// With one slash in front and none behind; `/` for the root.
pub(super) fn normalize(path: &str) -> String {
    format!("/{}", path.trim_matches('/'))
}

/// File of a page, from the root of the wiki, without a slash in front and without `.md`.
pub(super) fn file(path: &str) -> String {
    path.trim_matches('/')
        .split('/')
        .map(encode)
        .collect::<Vec<_>>()
        .join("/")
}

/// The page that a file without `.md` stands for.
pub(super) fn page(file: &str) -> String {
    format!(
        "/{}",
        file.split('/').map(decode).collect::<Vec<_>>().join("/")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn titles_survive_the_way_to_a_file_name_and_back() {
        for title in [
            "Home",
            "Release notes",
            "a-b c",
            "What: is <this>?",
            "Überblick 概要",
            "100% - done",
        ] {
            assert_eq!(decode(&encode(title)), title);
        }
        assert_eq!(file("/How to/build-it"), "How-to/build%2Dit");
        assert_eq!(page("How-to/build%2Dit"), "/How to/build-it");
    }
}
