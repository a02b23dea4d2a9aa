//! What a person asks of a test.

/// The number in this variable of the environment.
#[expect(
    clippy::disallowed_methods,
    reason = "how a person asks a test for one seed, or for more of them"
)]
pub(crate) fn asked(name: &str) -> Option<u64> {
    let text = std::env::var(name).ok()?;
    Some(
        text.parse()
            .unwrap_or_else(|_| panic!("{name} is no number: {text}")),
    )
}
