//! What a tired administrator does: nothing is lost by it, and what is said leads on.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::process::{Command, Stdio};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, BufReader};

use crate::common::{World, typed, words};

#[tokio::test]
async fn an_archive_takes_the_place_of_nothing_that_was_not_named_for_it() {
    let world = World::connected().await;
    world.backup("default").await.exits(0);
    let precious = world.file("precious.zip", "precious");
    world.file("precious.zip.part", "of somebody else");
    let link = world.at("link.zip");
    std::os::unix::fs::symlink(&precious, &link).unwrap();
    let export = async |zip: &str, overwrite: &[&str]| {
        let arguments = ["export", "latest", "source.json", "--zip", zip];
        world.keepward(&[&arguments, overwrite].concat()).await
    };
    for (zip, overwrite) in [
        (&precious, &[][..]),
        (&link, &[]),
        (&link, &["--overwrite"]),
    ] {
        export(zip, overwrite).await.refuses(1, "file-exists");
    }
    assert_eq!(std::fs::read(&precious).unwrap(), b"precious");
    export(&precious, &["--overwrite"]).await.exits(0);
    export(&world.at("new.zip"), &[]).await.exits(0);
    let archive = std::fs::read(&precious).unwrap();
    assert!(archive.starts_with(b"PK"));
    assert_eq!(archive.len(), std::fs::read(&link).unwrap().len());
    let part = std::fs::read(world.path("precious.zip.part")).unwrap();
    assert_eq!(part, b"of somebody else");
}

#[tokio::test]
async fn what_is_for_standard_output_goes_there_and_into_no_file_of_that_name() {
    let world = World::connected().await;
    world.backup("default").await.exits(0);
    let password = world.file("anna", "correct horse battery staple");
    world
        .done(&format!(
            "user add anna --role admin --password-file {password}"
        ))
        .await;
    let here = world.path("here");
    std::fs::create_dir(&here).unwrap();
    let piped = |line: &str, exit: i32| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_keepward"));
        command.args(words(line)).arg("--data-dir");
        command.arg(world.path("data")).current_dir(&here);
        let output = command.output().unwrap();
        assert_eq!(output.status.code(), Some(exit), "{line}: {output:?}");
        output.stdout
    };
    let zip = piped("export latest source.json --zip -", 0);
    assert!(zip.starts_with(b"PK"));
    let project = piped("export latest --project Проект --zip -", 0);
    assert!(memchr::memmem::find(&project, b"/project.json").is_some());
    let several = piped("export latest source.json --kind wiki --whole --zip -", 0);
    for file in [&b"source.json"[..], b"/wiki.json", b"git/"] {
        assert!(memchr::memmem::find(&several, file).is_some());
    }
    piped("export latest source.json projects --to here", 2);
    let token = "token add tests --user anna --permission read-status --to -";
    for line in [token, "worker token edge --to -"] {
        let secret = String::from_utf8(piped(line, 0)).unwrap();
        let is_alone = secret.split_whitespace().count() == 1;
        assert!(secret.starts_with("kw") && is_alone, "{secret}");
    }
    let second = world.at("second");
    for line in [
        "export latest / --to -",
        &format!("repository init {second} --name second --password-file -"),
    ] {
        assert_eq!(piped(line, 2), b"");
    }
    assert_eq!(std::fs::read_dir(&here).unwrap().count(), 0);
}

#[tokio::test]
async fn an_answer_without_the_secret_leaves_no_empty_file() {
    let world = World::bare().await;
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let server = format!("http://{}", listener.local_addr().unwrap());
    let lines = [
        "token add tests --user anna --permission read-status --to",
        "worker token edge --to",
    ];
    // It says that it made what it was asked for, and no more.
    let answering = std::thread::spawn(move || {
        for connection in listener.incoming().take(2 * lines.len()) {
            let (mut connection, mut asked) = (connection.unwrap(), Vec::new());
            while !asked.ends_with(b"}") {
                let mut piece = [0; 1024];
                let length = connection.read(&mut piece).unwrap();
                asked.extend_from_slice(&piece[..length]);
            }
            let head = "HTTP/1.1 201 Created\r\nconnection: close\r\ncontent-length: 2";
            write!(connection, "{head}\r\n\r\n{{}}").unwrap();
        }
    });
    let file = world.at("secret");
    for line in lines {
        for to in [file.as_str(), "-"] {
            let line = format!("{line} {to} --server {server}");
            let refused = world.refused(&line, 1, "server-unreachable").await;
            assert_eq!(refused.events.len(), 1, "{}", refused.told());
        }
    }
    assert!(!world.path("secret").exists());
    answering.join().unwrap();
}

#[tokio::test]
async fn programs_get_errors_of_the_command_line_as_json_too() {
    let world = World::bare().await;
    for arguments in [
        &["snapshot", "show"][..],
        &["repository", "check", "--read-data=0%"],
        &["snapshot", "no-such-verb"],
        &["snapshot", "list", "--no-such-option"],
    ] {
        world.keepward(arguments).await.refuses(2, "usage");
    }
}

#[test]
fn a_result_that_cannot_be_written_is_no_success() {
    let explain = |arguments: &[&str], to: Stdio| {
        Command::new(env!("CARGO_BIN_EXE_keepward"))
            .args(["explain", "disk-full"])
            .args(arguments)
            .stdout(to)
            .stderr(Stdio::piped())
            .output()
            .unwrap()
    };
    for arguments in [&[][..], &["--json"]] {
        let full = std::fs::File::options().write(true).open("/dev/full");
        let lost = explain(arguments, full.unwrap().into());
        let told = String::from_utf8_lossy(&lost.stderr);
        assert_eq!(lost.status.code(), Some(1), "{told}");
        assert!(told.contains("output-failed"), "{told}");

        // As with `| head -1`.
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let closed = explain(arguments, writer.into());
        let told = String::from_utf8_lossy(&closed.stderr);
        assert_eq!((closed.status.code(), &*told), (Some(0), ""));
    }
}

#[tokio::test]
async fn a_second_repository_changes_nothing_for_commands_that_name_none() {
    let world = World::connected().await;
    world.repository("second").await;
    let backup = "backup contoso";
    world.done(backup).await;
    assert_eq!(world.snapshots("default").await.len(), 1);

    world
        .refused("repository default nowhere", 1, "repository-not-found")
        .await;
    world.done("repository default second --accept-less").await;
    world.done(backup).await;
    let count = (
        world.snapshots("default").await.len(),
        world.snapshots("second").await.len(),
    );
    assert_eq!(count, (1, 1));
    let listed = world.run("repository list").await;
    let defaults: Vec<(&Value, &Value)> = listed
        .events
        .iter()
        .map(|row| (&row["name"], &row["default"]))
        .collect();
    let expected = [
        (&json!("default"), &json!(false)),
        (&json!("second"), &json!(true)),
    ];
    assert_eq!(defaults, expected);
}

#[tokio::test]
async fn a_repository_whose_disk_is_away_is_not_to_be_made_anew() {
    let world = World::connected().await;
    world.backup("default").await.exits(0);
    let (place, away) = (world.path("default"), world.path("away"));
    std::fs::rename(&place, &away).unwrap();
    // As the folder at which a disk is mounted.
    std::fs::create_dir(&place).unwrap();
    for arguments in [
        &["backup", "contoso"][..],
        &["snapshot", "list"],
        &["repository", "check"],
        &["repository", "repair", "index"],
        &["repository", "prune"],
    ] {
        let ran = world.keepward(arguments).await;
        ran.refuses(1, "repository-gone");
        let hint = ran.event("error")["hint"].as_str().unwrap();
        assert!(!hint.contains("repository init"), "{hint}");
    }
    let at = world.at("default");
    world
        .refused(
            &format!("repository init {at} --name again"),
            1,
            "repository-exists",
        )
        .await;
    assert_eq!(std::fs::read_dir(&place).unwrap().count(), 0);
    std::fs::remove_dir(&place).unwrap();
    std::fs::rename(&away, &place).unwrap();
    assert_eq!(world.snapshots("default").await.len(), 1);
}

#[tokio::test]
async fn what_another_program_forgot_can_be_accepted() {
    let world = World::connected().await;
    world.backup("default").await.exits(0);
    world.backup("default").await.exits(0);
    let snapshots = world.snapshots("default").await;
    let gone = world.restic("default", &["forget", &snapshots[0]]).await;
    assert!(gone.status.success(), "{gone:?}");

    let checked = world
        .refused("repository check", 8, "repository-damaged")
        .await;
    let problem = checked.event("problem")["message"].as_str().unwrap();
    let accept = format!("keepward snapshot forget {}", &snapshots[0][..8]);
    assert!(problem.contains(&accept), "{problem}");

    let words: Vec<&str> = accept.split(' ').skip(1).collect();
    world.keepward(&words).await.exits(0);
    world.done("repository check").await;
    world.keepward(&words).await.refuses(1, "snapshot-unknown");
    assert_eq!(world.snapshots("default").await, snapshots[1..]);
    let pruned = world.done("repository prune --grace 0s").await;
    assert_eq!(pruned.event("result")["snapshots_lost"], 0);
}

#[tokio::test]
async fn a_snapshot_of_another_program_needs_no_newer_version() {
    let world = World::connected().await;
    let file = world.file("notes", "of somebody");
    let made = world.restic("default", &["backup", &file]).await;
    assert!(made.status.success(), "{made:?}");
    let verified = world.refused("verify latest", 1, "snapshot-foreign").await;
    let hint = verified.event("error")["hint"].as_str().unwrap();
    assert!(!hint.contains("newer version"), "{hint}");
}

#[tokio::test]
async fn a_recovery_sheet_names_the_folder_itself() {
    let world = World::bare().await;
    std::fs::create_dir(world.path("u")).unwrap();
    let place = format!("{}/u/../r/repository", world.at("").trim_end_matches('/'));
    world.done(&format!("repository init {place}")).await;
    std::fs::remove_dir(world.path("u")).unwrap();
    let sheet = world.run("repository sheet").await;
    let text = sheet.event("recovery-sheet")["text"].as_str().unwrap();
    assert!(!text.contains("/../"), "{text}");
    world.done("repository check").await;
}

#[tokio::test]
async fn a_second_repository_is_told_to_want_a_name() {
    let world = World::bare().await;
    world.repository("default").await;
    let (other, same) = (world.at("other"), world.at("default"));
    for (line, named) in [
        (format!("repository init {other} --name DEFAULT"), true),
        (format!("repository init {same} --name other"), false),
    ] {
        let refused = world.refused(&line, 1, "repository-exists").await;
        let error = refused.event("error");
        let message = error["message"].as_str().unwrap();
        assert!(message.contains("`default`"), "{message}");
        let hint = error["hint"].as_str().unwrap();
        assert_eq!(hint.contains("--name"), named, "{hint}");
    }
    assert!(!world.path("other").exists());
}

#[tokio::test]
async fn a_file_is_shown_until_nobody_reads_on() {
    let world = World::connected().await;
    world.backup("default").await.exits(0);
    let shown = |to: Stdio| {
        Command::new(env!("CARGO_BIN_EXE_keepward"))
            .args(["snapshot", "cat", "latest", "source.json", "--data-dir"])
            .args([world.path("data")])
            .stdout(to)
            .stderr(Stdio::piped())
            .output()
            .unwrap()
    };
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let closed = shown(writer.into());
    let told = String::from_utf8_lossy(&closed.stderr);
    assert_eq!((closed.status.code(), &*told), (Some(0), ""));
    let full = std::fs::File::options().write(true).open("/dev/full");
    let lost = shown(full.unwrap().into());
    let told = String::from_utf8_lossy(&lost.stderr);
    assert_eq!(lost.status.code(), Some(1), "{told}");
    assert!(told.contains("output-failed"), "{told}");
}

#[tokio::test]
async fn what_is_to_go_on_until_ctrl_c_ends_well_by_it() {
    let world = World::bare().await;
    let mut child = world.start(&["simulator", "--seed", "empty"]);
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    lines.next_line().await.unwrap().expect("it answers");
    let process = Pid::from_raw(child.id().unwrap().try_into().unwrap());
    kill(process, Signal::SIGINT).unwrap();
    let ended = child.wait_with_output().await.unwrap();
    let told = String::from_utf8_lossy(&ended.stderr);
    assert_eq!((ended.status.code(), &*told), (Some(0), ""));
}

#[tokio::test]
async fn a_plan_that_would_do_nothing_says_so() {
    let world = World::connected().await;
    world.backup("default").await.exits(0);
    let plan = async |select: &str| {
        typed(&world, &format!("restore plan latest {select}"))
            .await
            .0
    };
    let told = plan("--kind team").await;
    assert!(told.contains("nothing to do"), "{told}");
    assert!(!told.contains("restore apply"), "{told}");
    // There can be one team of a name.
    let told = plan("--kind team --conflict duplicate").await;
    assert!(told.contains("nothing to do"), "{told}");
    let told = plan("--kind git-repository --conflict duplicate").await;
    assert!(told.contains("keepward restore apply"), "{told}");
}

#[tokio::test]
async fn the_log_says_what_it_is_asked_to() {
    let world = World::connected().await;
    let ran = |filter: &str, arguments: &[&str]| {
        let ran = Command::new(env!("CARGO_BIN_EXE_keepward"))
            .args(["run", "list", "--data-dir"])
            .args([world.path("data")])
            .args(arguments)
            .env("RUST_LOG", filter)
            .output()
            .unwrap();
        assert!(ran.status.success(), "{ran:?}");
        String::from_utf8(ran.stderr).unwrap()
    };
    assert_eq!(ran("", &[]), "");
    assert!(ran("server=info", &[]).contains(" INFO server::edge: request"));
    assert_eq!(ran("server=info", &["--log", "error"]), "");
    let slip = ran("server=loud", &[]);
    assert!(
        slip.contains("RUST_LOG") && slip.contains("server=loud"),
        "{slip}"
    );
}

#[tokio::test]
async fn what_the_answer_says_is_not_said_by_a_log_before() {
    let world = World::bare().await;
    let pat = world.at("pat");
    let add =
        format!("connector add azure-devops contoso --url http://127.0.0.1:1 --pat-file {pat}");
    let refused = world.refused(&add, 1, "service-unavailable").await;
    assert!(
        !refused.told().contains("a request failed"),
        "{}",
        refused.told()
    );
}

#[tokio::test]
async fn a_data_directory_that_is_lost_is_made_again_from_the_repository() {
    let world = World::connected().await;
    for _ in 0..2 {
        world.backup("default").await.exits(0);
    }
    std::fs::remove_dir_all(world.path("data")).unwrap();
    let (place, password) = (world.at("default"), world.at("password"));
    let add = format!("repository add {place} --password-file {password}");
    world.done(&add).await;
    let synced = world.done("repository sync").await;
    assert_eq!(synced.event("result")["added"], 2);
    let told = synced.event("progress");
    assert_eq!((&told["items"], &told["expected"]), (&json!(2), &json!(2)));
    let found = world
        .first("snapshot search '\"the first\"' --kind project")
        .await;
    assert_eq!(found["name"], "Main Project");
    world.connect("contoso", "pat").await.exits(0);
    world.backup("default").await.exits(0);
    assert_eq!(world.snapshots("default").await.len(), 3);
}
