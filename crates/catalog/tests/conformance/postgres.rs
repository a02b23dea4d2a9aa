//! A private PostgreSQL cluster on a unix socket. When PostgreSQL is missing, the test fails and says so.

use std::os::unix::fs::{MetadataExt as _, chown};
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use crate::support::Place;

pub(crate) struct Cluster {
    folder: TempDir,
    programs: PathBuf,
    /// PostgreSQL refuses to run as root; then it runs as this user.
    user: Option<(u32, u32)>,
}

impl Cluster {
    pub(crate) fn start() -> Self {
        let folder = tempfile::Builder::new().prefix("pg").tempdir().unwrap();
        let user = (folder.path().metadata().unwrap().uid() == 0).then(|| {
            let user = (id("-u"), id("-g"));
            chown(folder.path(), Some(user.0), Some(user.1)).unwrap();
            user
        });
        let cluster = Self {
            programs: programs(),
            folder,
            user,
        };
        let data = cluster.data();
        // The locale sorts unlike bytes, so that an order that depends on it is noticed.
        cluster.run(
            "initdb",
            &[
                "-D",
                &data,
                "-U",
                "keepward",
                "-A",
                "trust",
                "-E",
                "UTF8",
                "--no-sync",
                "--locale=C.UTF-8",
                "--locale-provider=icu",
                "--icu-locale=en",
            ],
        );
        let socket = cluster.folder.path().display().to_string();
        let options =
            format!("-k {socket} -c listen_addresses= -c fsync=off -c max_connections=60");
        let log = format!("{socket}/log");
        cluster.run(
            "pg_ctl",
            &["-D", &data, "-w", "-l", &log, "-o", &options, "start"],
        );
        cluster
    }

    /// A new database.
    pub(crate) fn place(&self, name: &str) -> Place {
        let socket = self.folder.path().display().to_string();
        // PostgreSQL cuts names at 63 bytes.
        let name = &name[..name.len().min(60)];
        self.run("createdb", &["-h", &socket, "-U", "keepward", name]);
        Place::at(format!(
            "postgres://keepward@localhost/{name}?host={}",
            socket.replace('/', "%2F")
        ))
    }

    fn data(&self) -> String {
        self.folder.path().join("data").display().to_string()
    }

    fn run(&self, program: &str, arguments: &[&str]) {
        let path = self.programs.join(program);
        let mut command = match self.user {
            Some((user, group)) => {
                let mut command = Command::new("setpriv");
                command
                    .arg(format!("--reuid={user}"))
                    .arg(format!("--regid={group}"));
                command.arg("--clear-groups").arg(path);
                command
            }
            None => Command::new(path),
        };
        command.args(arguments).current_dir(self.folder.path());
        command.stdout(std::process::Stdio::null());
        let status = command.status().unwrap();
        assert!(status.success(), "{program} ended with {status}");
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        self.run("pg_ctl", &["-D", &self.data(), "-m", "immediate", "stop"]);
    }
}

fn id(flag: &str) -> u32 {
    let output = Command::new("id")
        .args([flag, "postgres"])
        .output()
        .unwrap();
    let output = if output.status.success() {
        output
    } else {
        Command::new("id").args([flag, "nobody"]).output().unwrap()
    };
    String::from_utf8(output.stdout)
        .unwrap()
        .trim()
        .parse()
        .unwrap()
}

/// Debian keeps the programs out of the path.
fn programs() -> PathBuf {
    let debian = Path::new("/usr/lib/postgresql/15/bin");
    if debian.join("initdb").exists() {
        return debian.to_owned();
    }
    let found = Command::new("initdb").arg("--version").output().is_ok();
    assert!(
        found,
        "PostgreSQL is missing: install Debian's postgresql-15 (initdb is neither in {} nor in the path)",
        debian.display()
    );
    PathBuf::new()
}
