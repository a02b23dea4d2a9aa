//! The address of a place, as it is written, stored and shown. It never holds a secret.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use crate::{Error, Result};

/// A place as the user wrote it; a path is made absolute.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Location {
    Local(PathBuf),
    Cloud(Bucket),
}

/// Whose protocol a storage speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cloud {
    S3,
    Azure,
    Google,
}

/// A part of a bucket or container. Written `s3://bucket/prefix`, `azure://account/container/prefix` or `gs://bucket/prefix`, with
/// `?endpoint=URL&region=NAME&style=virtual` where they are not the cloud's own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bucket {
    pub cloud: Cloud,
    /// Of Azure; empty elsewhere.
    pub account: String,
    /// The bucket or container.
    pub name: String,
    /// Without slashes at its ends; may be empty.
    pub prefix: String,
    /// Of another server than the cloud's own; for Azure with the account in its path where the server wants it there.
    pub endpoint: Option<String>,
    pub region: Option<String>,
    /// The bucket is part of the host's name, not of the path.
    pub virtual_host: bool,
}

impl Cloud {
    fn scheme(self) -> &'static str {
        match self {
            Self::S3 => "s3",
            Self::Azure => "azure",
            Self::Google => "gs",
        }
    }
}

impl Location {
    /// As `restic -r` takes it. An Azure account goes into its environment.
    pub fn restic(&self) -> String {
        let bucket = match self {
            Self::Local(path) => return path.display().to_string(),
            Self::Cloud(bucket) => bucket,
        };
        let Bucket { name, prefix, .. } = bucket;
        match bucket.cloud {
            Cloud::Azure => format!("azure:{name}:/{prefix}"),
            Cloud::Google => format!("gs:{name}:/{prefix}"),
            Cloud::S3 => {
                let own = || match &bucket.region {
                    Some(region) => format!("https://s3.{region}.amazonaws.com"),
                    None => "https://s3.amazonaws.com".to_owned(),
                };
                let server = bucket.endpoint.clone().unwrap_or_else(own);
                let slash = if prefix.is_empty() { "" } else { "/" };
                format!("s3:{server}/{name}{slash}{prefix}")
            }
        }
    }
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Local(path) => path.display().fmt(f),
            Self::Cloud(bucket) => bucket.fmt(f),
        }
    }
}

impl fmt::Display for Bucket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://", self.cloud.scheme())?;
        let parts = [&self.account, &self.name, &self.prefix];
        let parts: Vec<&str> = parts
            .into_iter()
            .map(String::as_str)
            .filter(|part| !part.is_empty())
            .collect();
        f.write_str(&parts.join("/"))?;
        let style = self.virtual_host.then(|| "virtual".to_owned());
        let options = [
            ("endpoint", &self.endpoint),
            ("region", &self.region),
            ("style", &style),
        ];
        let set = options
            .into_iter()
            .filter_map(|(name, value)| value.as_ref().map(|value| (name, value)));
        for (number, (name, value)) in set.enumerate() {
            let mark = if number == 0 { '?' } else { '&' };
            write!(f, "{mark}{name}={value}")?;
        }
        Ok(())
    }
}

impl FromStr for Location {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        parse(text).map_err(|reason| Error::UnsupportedLocation {
            location: if reason == SECRET {
                "(not shown)".to_owned()
            } else {
                text.to_owned()
            },
            reason,
        })
    }
}

type Refused = &'static str;

const SECRET: Refused = "it seems to hold a secret: give the credential on its own";

fn parse(text: &str) -> Result<Location, Refused> {
    if text.contains('\0') {
        return Err("it holds a NUL character");
    }
    let path = match text.split_once("://") {
        Some(("file", path)) if path.starts_with('/') => PathBuf::from(path),
        Some(("file", _)) => return Err("a file URL has three slashes: file:///folder"),
        Some(("s3" | "s3a", rest)) => return bucket(Cloud::S3, rest),
        Some(("azure" | "az", rest)) => return bucket(Cloud::Azure, rest),
        Some(("gs", rest)) => return bucket(Cloud::Google, rest),
        Some(_) => {
            return Err("unknown scheme: give a local path, s3://, azure:// or gs://");
        }
        None if text.is_empty() => return Err("it is empty"),
        None => PathBuf::from(text),
    };
    let path = std::path::absolute(path).map_err(|_| "the folder that we are in is gone")?;
    Ok(Location::Local(path))
}

fn bucket(cloud: Cloud, rest: &str) -> Result<Location, Refused> {
    let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
    if path.contains('@') {
        return Err(SECRET);
    }
    let mut parts = path.trim_end_matches('/').split('/');
    let mut next = || parts.next().unwrap_or_default().to_owned();
    let account = match cloud {
        Cloud::Azure => next(),
        Cloud::S3 | Cloud::Google => String::new(),
    };
    let name = next();
    if !is_name(&name) || (cloud == Cloud::Azure && !is_name(&account)) {
        return Err(match cloud {
            Cloud::Azure => "write it azure://ACCOUNT/CONTAINER/PREFIX",
            Cloud::S3 | Cloud::Google => "the name of a bucket follows the two slashes",
        });
    }
    let prefix: Vec<&str> = parts.collect();
    if prefix.iter().any(|part| matches!(*part, "" | "." | "..")) {
        return Err("a part of its path is empty, `.` or `..`");
    }
    if !prefix.iter().all(|part| part.bytes().all(is_plain)) {
        return Err("its path may have letters and digits without accents, `-`, `_` and `.` alone");
    }
    let mut bucket = Bucket {
        cloud,
        account,
        name,
        prefix: prefix.join("/"),
        endpoint: None,
        region: None,
        virtual_host: false,
    };
    for option in query.split('&').filter(|option| !option.is_empty()) {
        bucket.set(option)?;
    }
    Ok(Location::Cloud(bucket))
}

impl Bucket {
    fn set(&mut self, option: &str) -> Result<(), Refused> {
        match option.split_once('=') {
            Some(("endpoint", url)) => {
                let host = url
                    .strip_prefix("https://")
                    .or_else(|| url.strip_prefix("http://"))
                    .ok_or("its endpoint begins neither with https:// nor with http://")?;
                if host.contains('@') {
                    return Err(SECRET);
                }
                if host.is_empty()
                    || !host
                        .bytes()
                        .all(|byte| is_plain(byte) || b":/[]".contains(&byte))
                    || host.starts_with('/')
                {
                    return Err("its endpoint is not a host with a port and a path");
                }
                self.endpoint = Some(url.trim_end_matches('/').to_owned());
            }
            Some(("region", region)) if is_name(region) => self.region = Some(region.to_owned()),
            Some(("style", "virtual")) => self.virtual_host = true,
            Some(("style", "path")) => self.virtual_host = false,
            _ => {
                return Err(
                    "after `?` it may have endpoint=URL, region=NAME and style=virtual alone",
                );
            }
        }
        Ok(())
    }
}

fn is_name(text: &str) -> bool {
    !text.is_empty() && !text.starts_with('.') && text.bytes().all(is_plain)
}

/// Means itself in every address, signature and file system.
fn is_plain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._".contains(&byte)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_come_back_as_they_were_written() {
        for text in [
            "/backup/contoso",
            "s3://backups",
            "s3://backups/contoso/main",
            "s3://backups/contoso?endpoint=http://127.0.0.1:9000&region=eu-west-1",
            "s3://backups?style=virtual",
            "azure://account/container/contoso",
            "azure://devstoreaccount1/c?endpoint=http://127.0.0.1:10000/devstoreaccount1",
            "gs://backups/contoso",
        ] {
            let location: Location = text.parse().unwrap();
            assert_eq!(location.to_string(), text);
        }
        let location: Location = "s3://backups/contoso/".parse().unwrap();
        assert_eq!(location.to_string(), "s3://backups/contoso");
    }

    #[test]
    fn restic_finds_the_same_place() {
        for (text, restic) in [
            ("/backup/contoso", "/backup/contoso"),
            ("s3://b", "s3:https://s3.amazonaws.com/b"),
            (
                "s3://b/c?region=eu-west-1",
                "s3:https://s3.eu-west-1.amazonaws.com/b/c",
            ),
            ("s3://b/c?endpoint=http://h:9", "s3:http://h:9/b/c"),
            ("azure://a/b/c", "azure:b:/c"),
            ("gs://b/c", "gs:b:/c"),
        ] {
            assert_eq!(text.parse::<Location>().unwrap().restic(), restic);
        }
    }

    #[test]
    fn addresses_that_cannot_be_right_are_refused_without_showing_secrets() {
        for text in [
            "",
            "a\0b",
            "ftp://host/x",
            "file://host/x",
            "s3://",
            "s3://b/../c",
            "s3://b//c",
            "s3://b?endpoint=host:9000",
            "s3://b?secret=hunter2",
            "s3://b?endpoint=https:///x",
            "azure://account",
            "gs://b/a b",
            "s3://..",
        ] {
            let refused = text.parse::<Location>().unwrap_err();
            assert_eq!(refused.code(), "repository-location", "{text}");
        }
        for text in ["s3://key:hunter2@b/c", "s3://b?endpoint=http://k:hunter2@h"] {
            let refused = text.parse::<Location>().unwrap_err().to_string();
            assert!(!refused.contains("hunter2"), "{refused}");
        }
    }
}
