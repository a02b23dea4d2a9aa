//! The program is killed at random points of what it writes; nothing that was there may be lost, and the next run has to finish.

pub(crate) mod backup;
mod copy;
mod prune;
mod restore;
mod victim;

use std::collections::BTreeMap;
use std::path::Path;

use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};

use crate::common::{Content, World, lost};
use victim::{Place, Writes};

/// Where kills happened: by command and what it was doing.
pub(crate) type Tally = BTreeMap<(&'static str, String), u32>;

/// A command that can be killed and must then come to the same end.
pub(crate) enum Command {
    Backup(backup::Backup),
    Restore(restore::Restore),
    Prune(prune::Prune),
    Copy(copy::Copy),
}

/// Kills a backup of `contoso` as soon as its snapshot is there; whether it was killed at all.
pub(crate) async fn at_the_snapshot(world: &World, arguments: &[&str], repository: &str) -> bool {
    let place = Place::Repository(world.path(repository));
    let mut writes = Writes::begin(world, place).await;
    let point = Some(victim::Point::Into("snapshots"));
    let ended = victim::run(world, arguments, &mut writes, point).await;
    ended.code.is_none()
}

/// What the kills go over.
pub(crate) struct Kills {
    world: World,
    dice: StdRng,
    commands: Vec<Command>,
    pub(crate) tally: Tally,
}

impl Kills {
    /// Everything that the kills start from, each command having run once undisturbed.
    pub(crate) async fn prepare(seed: u64) -> Self {
        let world = World::connected().await;
        let whole = world.undisturbed().await;
        let backup = backup::Backup::prepare(&world, whole.clone()).await;
        let store = store(&world, &whole).await;
        let prune = prune::Prune::prepare(&world, &store).await;
        let copy = copy::Copy::prepare(&world, &store).await;
        let restore = restore::Restore::prepare(&world).await;
        Self {
            world,
            dice: StdRng::seed_from_u64(seed),
            commands: vec![
                Command::Backup(backup),
                Command::Restore(restore),
                Command::Prune(prune),
                Command::Copy(copy),
            ],
            tally: Tally::new(),
        }
    }

    pub(crate) fn names(&self) -> Vec<&'static str> {
        self.commands.iter().map(Command::name).collect()
    }

    /// Kills a command once while it writes, and looks at what it left. Panics when that is not right.
    pub(crate) async fn kill(&mut self, command: usize) -> String {
        let (command, world) = (&mut self.commands[command], &self.world);
        // A point near the end may be passed before the kill arrives: then another one counts.
        for _ in 0..20 {
            let point = 1 + self.dice.random_range(0..command.writes());
            let doing = match command {
                Command::Backup(backup) => backup.kill(world, point).await,
                Command::Restore(restore) => restore.kill(world, point).await,
                Command::Prune(prune) => prune.kill(world, point).await,
                Command::Copy(copy) => copy.kill(world, point).await,
            };
            if let Some(doing) = doing {
                let key = (command.name(), doing.clone());
                *self.tally.entry(key).or_default() += 1;
                return doing;
            }
        }
        panic!("{} ends before it can be killed", command.name());
    }
}

impl Command {
    fn name(&self) -> &'static str {
        match self {
            Self::Backup(_) => "backup",
            Self::Restore(_) => "restore",
            Self::Prune(_) => "prune",
            Self::Copy(_) => "copy",
        }
    }

    /// How many points there are: the writes of the undisturbed run.
    fn writes(&self) -> u64 {
        match self {
            Self::Backup(backup) => backup.writes,
            // Beyond them it reads back what it made.
            Self::Restore(restore) => restore.writes + restore.writes / 8,
            Self::Prune(prune) => prune.writes,
            Self::Copy(copy) => copy.writes,
        }
    }
}

/// What prune and copy begin with: a repository with a snapshot, and what a backup and a forgotten snapshot leave beside it.
struct Store {
    folder: tempfile::TempDir,
    snapshots: Vec<String>,
    content: Content,
}

impl Store {
    fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Puts a repository back to where it began.
    fn put(&self, to: &Path) {
        replace(self.path(), to);
    }
}

/// Made in the repository `work`, which prune works on.
async fn store(world: &World, whole: &Content) -> Store {
    world.repository("work").await;
    let backup = ["backup", "contoso", "--repository", "work", "--full"];
    for _ in 0..2 {
        let often = [&backup[..], &["--checkpoint-pause", "0"]].concat();
        world.keepward(&often).await.exits(0);
    }
    let all = world.snapshots("work").await;
    let forget = "snapshot forget --keep-last 1 --repository work";
    world.done(forget).await;
    let snapshots = world.snapshots("work").await;
    assert!(snapshots.len() < all.len());
    let content = world.content("work").await;
    assert_eq!(lost(whole, &content), [""; 0]);
    let folder = tempfile::tempdir().unwrap();
    replace(&world.path("work"), folder.path());
    Store {
        folder,
        snapshots,
        content,
    }
}

/// Makes a folder the same as another.
fn replace(from: &Path, to: &Path) {
    if to.exists() {
        std::fs::remove_dir_all(to).unwrap();
    }
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            replace(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}

/// `restic` finds nothing wrong.
async fn is_whole(world: &World, repository: &str) {
    for arguments in [&["unlock"][..], &["check", "--read-data"]] {
        let output = world.restic(repository, arguments).await;
        assert!(
            output.status.success(),
            "restic {arguments:?}: {}{}",
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        );
    }
}

/// The newest snapshot holds this, no more and no less.
async fn holds(world: &World, repository: &str, content: &Content) {
    let now = world.content(repository).await;
    assert_eq!(lost(content, &now), [""; 0]);
    assert_eq!(lost(&now, content), [""; 0]);
}

/// A run that nobody disturbs, to its good end; how many writes it made.
async fn undisturbed(world: &World, arguments: &[&str], place: Place) -> u64 {
    let mut writes = Writes::begin(world, place).await;
    let ended = victim::run(world, arguments, &mut writes, None).await;
    assert!(
        matches!(ended.code, Some(0 | 3)),
        "{arguments:?}: {}",
        ended.told
    );
    assert!(writes.count > 0, "{arguments:?} wrote nothing");
    writes.count
}
