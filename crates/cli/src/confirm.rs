//! What a person types before something is done that cannot simply be taken back.

use std::io::{BufRead as _, IsTerminal as _, Write as _};

use anyhow::Context as _;

use crate::failure::Failure;

/// Whether somebody is there to be asked.
pub(crate) fn somebody_is_there() -> bool {
    std::io::stdin().is_terminal() && std::io::stderr().is_terminal()
}

/// Asks, and takes the line of standard input that answers.
pub(crate) async fn typed(question: &str) -> Result<String, Failure> {
    let asked = std::io::stderr().lock().write_all(question.as_bytes());
    asked.context("cannot ask for a confirmation")?;
    let answer = answer().await.context("cannot read the confirmation")?;
    Ok(answer.trim().to_owned())
}

/// A line of standard input. Its thread is not waited for: whoever presses Ctrl-C does not want to type a name first.
async fn answer() -> std::io::Result<String> {
    let (send, answer) = tokio::sync::oneshot::channel();
    std::thread::spawn(move || {
        let mut line = String::new();
        let read = std::io::stdin().lock().read_line(&mut line).map(|_| line);
        // Nobody waits any more when the command was canceled.
        send.send(read).ok();
    });
    answer
        .await
        .unwrap_or_else(|_| Err(std::io::ErrorKind::BrokenPipe.into()))
}
