//! Pointers: small text files in the history in place of large ones.

use std::fmt::Write as _;

/// An object of LFS by its content.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Pointer {
    /// SHA-256 of the content, 64 lowercase hexadecimal digits.
    pub oid: String,
    /// In bytes.
    pub size: u64,
}

const LARGEST: usize = 1024;
/// The address of the format, and those that it had before 2015.
const VERSIONS: [&str; 3] = [
    "https://git-lfs.github.com/spec/v1",
    "https://hawser.github.com/spec/v1",
    "http://git-media.io/v/2",
];

impl Pointer {
    /// Reads a blob; `None` for one that is no pointer.
    pub fn read(blob: &[u8]) -> Option<Self> {
        if blob.len() > LARGEST {
            return None;
        }
        // Lines may end as those of Windows do.
        let text = std::str::from_utf8(blob.strip_prefix(b"version ")?).ok()?;
        if !VERSIONS.contains(&text.lines().next()?) {
            return None;
        }
        let value = |key: &str| {
            text.lines()
                .find_map(|line| line.strip_prefix(key)?.strip_prefix(' '))
        };
        let oid = value("oid")?.strip_prefix("sha256:")?;
        let size = value("size")?.parse().ok()?;
        is_oid(oid).then(|| Self {
            oid: oid.to_owned(),
            size,
        })
    }

    /// Where its content lies below the folder of the stored repository.
    pub fn part(&self) -> String {
        super::part(&self.oid)
    }

    /// Reads the part [`super::MISSING`]; lines that make no sense are left out.
    pub(crate) fn list(part: &[u8]) -> Vec<Self> {
        let line = |line: &str| {
            let (oid, size) = line.split_once(' ')?;
            Some(Self {
                oid: is_oid(oid).then(|| oid.to_owned())?,
                size: size.parse().ok()?,
            })
        };
        String::from_utf8_lossy(part)
            .lines()
            .filter_map(line)
            .collect()
    }

    pub(crate) fn render<'a>(pointers: impl IntoIterator<Item = &'a Self>) -> Vec<u8> {
        let mut out = String::new();
        for pointer in pointers {
            // Writing to a string cannot fail.
            let _ = writeln!(out, "{} {}", pointer.oid, pointer.size);
        }
        out.into_bytes()
    }
}

pub(super) fn is_oid(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
}

#[cfg(test)]
mod tests {
    use super::*;

    const OID: &str = "4d7a214614ab2935c943f9e0ff69d22eadbb8f32b1258daaa5e2ca24d17e2393";

    #[test]
    fn pointers_are_read_with_and_without_extensions() {
        let expected = Some(Pointer {
            oid: OID.to_owned(),
            size: 12345,
        });
        assert_eq!(
            Pointer::read(
                format!(
                    "version https://git-lfs.github.com/spec/v1\noid sha256:{OID}\nsize 12345\n"
                )
                .as_bytes()
            ),
            expected
        );
        let extended = format!(
            "version https://git-lfs.github.com/spec/v1\next-0-foo sha256:{OID}\noid sha256:{OID}\nsize 12345\n"
        );
        assert_eq!(Pointer::read(extended.as_bytes()), expected);
    }

    #[test]
    fn pointers_of_before_2015_and_with_line_ends_of_windows_are_read() {
        for version in VERSIONS {
            for end in ["\n", "\r\n"] {
                let text = format!("version {version}{end}oid sha256:{OID}{end}size 12345{end}");
                let read = Pointer::read(text.as_bytes()).unwrap();
                assert_eq!((read.oid.as_str(), read.size), (OID, 12345), "{text}");
            }
        }
    }

    #[test]
    fn other_blobs_are_not_pointers() {
        let good =
            format!("version https://git-lfs.github.com/spec/v1\noid sha256:{OID}\nsize 1\n");
        for text in [
            String::new(),
            "version https://git-lfs.github.com/spec/v1\n".to_owned(),
            good.replace(OID, "../../etc"),
            good.replace("size 1", "size x"),
            good.to_uppercase(),
            format!("{good}{}", " ".repeat(1024)),
            format!(" {good}"),
        ] {
            assert_eq!(Pointer::read(text.as_bytes()), None, "{text}");
        }
    }

    #[test]
    fn the_list_of_missing_objects_comes_back() {
        let pointers = vec![
            Pointer {
                oid: OID.to_owned(),
                size: 0,
            },
            Pointer {
                oid: OID.replace('4', "5"),
                size: u64::MAX,
            },
        ];
        assert_eq!(Pointer::list(&Pointer::render(&pointers)), pointers);
        assert_eq!(Pointer::list(b"../x 1\nnonsense\n"), []);
    }
}
