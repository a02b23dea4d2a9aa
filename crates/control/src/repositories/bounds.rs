//! Where repositories may lie that are added over the interface: whoever may add one must not reach all of the machine with it.

use std::path::{Component, Path, PathBuf};

use repository::Location;
use service::egress::{Egress, Purpose};
use url::Url;

use super::refused;
use crate::{Error, Result};

/// What the administrator allows.
#[derive(Clone)]
pub struct Bounds {
    /// Local repositories lie in one of these folders; without any there are none.
    pub roots: Vec<PathBuf>,
    pub egress: Egress,
}

impl Bounds {
    /// The location of a text that somebody sent.
    pub async fn admit(&self, text: &str) -> Result<Location> {
        if text.starts_with("file:") {
            return Err(outside(
                "a local folder is written as a path, without `file:`",
            ));
        }
        let location: Location = text.parse()?;
        match &location {
            Location::Local(_) => {
                let path = self.local(Path::new(text))?;
                Ok(Location::Local(path))
            }
            Location::Cloud(bucket) => {
                if let Some(endpoint) = &bucket.endpoint {
                    let url =
                        Url::parse(endpoint).map_err(|_| refused("its endpoint is not a URL"))?;
                    self.egress.check(&url, Purpose::Connector).await?;
                }
                Ok(location)
            }
        }
    }

    /// As the file system sees it: `..` and links lead nowhere else.
    fn local(&self, path: &Path) -> Result<PathBuf> {
        if !path.is_absolute() {
            return Err(outside("the path does not begin with `/`"));
        }
        let odd = |part: Component<'_>| matches!(part, Component::ParentDir | Component::CurDir);
        if path.components().any(odd) {
            return Err(outside("the path has a part `..`"));
        }
        let real = real(path)?;
        for root in &self.roots {
            let Ok(root) = root.canonicalize() else {
                continue;
            };
            // The folder of folders itself is not for one repository.
            if real.starts_with(&root) && real != root {
                return Ok(real);
            }
        }
        Err(outside(
            "it is in none of the folders that the administrator allows with `[repositories] roots`",
        ))
    }
}

/// The path without links, as far as it exists; what does not exist yet is added as it is.
fn real(path: &Path) -> Result<PathBuf> {
    let mut rest = Vec::new();
    let mut there = path;
    loop {
        // A link that leads nowhere exists too.
        if there.symlink_metadata().is_ok() {
            break;
        }
        match (there.parent(), there.file_name()) {
            (Some(parent), Some(name)) => {
                rest.push(name);
                there = parent;
            }
            _ => return Err(outside("it cannot be found")),
        }
    }
    let mut real = there
        .canonicalize()
        .map_err(|_| outside("a link on its way leads nowhere"))?;
    real.extend(rest.iter().rev());
    Ok(real)
}

fn outside(reason: &str) -> Error {
    Error::Request {
        code: "repository-outside",
        message: format!("the repository cannot lie there: {reason}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn code(bounds: &Bounds, text: &str) -> String {
        let refused = bounds.admit(text).await.unwrap_err();
        refused.code().unwrap_or_default().to_owned()
    }

    #[tokio::test]
    async fn a_local_repository_stays_in_the_allowed_folders() {
        let folder = tempfile::tempdir().unwrap();
        let base = folder.path().canonicalize().unwrap();
        let (root, other) = (base.join("root"), base.join("other"));
        std::fs::create_dir_all(root.join("deep")).unwrap();
        std::fs::create_dir_all(&other).unwrap();
        std::os::unix::fs::symlink(&other, root.join("link")).unwrap();
        std::os::unix::fs::symlink(base.join("nothing"), root.join("dangling")).unwrap();
        let bounds = Bounds {
            roots: vec![root.clone(), base.join("missing")],
            egress: Egress::new(Vec::new()),
        };
        let at = |path: &str| format!("{}/{path}", root.display());
        for inside in ["new", "deep/new/newer", "deep"] {
            let location = bounds.admit(&at(inside)).await.unwrap();
            assert_eq!(location, Location::Local(root.join(inside)));
        }
        for outside in [
            at("../other/x"),
            at("deep/../../other"),
            at("link/x"),
            at("link"),
            at("dangling"),
            at("dangling/x"),
            root.display().to_string(),
            format!("{}x/y", root.display()),
            other.display().to_string(),
            "/etc".to_owned(),
            "relative".to_owned(),
            format!("file://{}/x", root.display()),
            "file:/x".to_owned(),
        ] {
            assert_eq!(
                code(&bounds, &outside).await,
                "repository-outside",
                "{outside}"
            );
        }
        assert_eq!(code(&bounds, &at("a\0b")).await, "repository-location");
        let none = Bounds {
            roots: Vec::new(),
            ..bounds
        };
        assert_eq!(code(&none, &at("new")).await, "repository-outside");
    }

    #[tokio::test]
    async fn an_endpoint_does_not_lead_to_this_machine() {
        let bounds = Bounds {
            roots: Vec::new(),
            egress: Egress::new(Vec::new()),
        };
        for endpoint in ["http://127.0.0.1:9000", "http://169.254.169.254"] {
            let text = format!("s3://backups?endpoint={endpoint}");
            assert_eq!(code(&bounds, &text).await, "address-refused");
        }
        assert!(bounds.admit("s3://backups/contoso").await.is_ok());
    }
}
