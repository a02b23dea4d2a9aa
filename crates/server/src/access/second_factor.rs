//! One-time codes (RFC 6238) and recovery codes.

use catalog::{PersonRow, SecondFactor, totp_credential};
use model::Secret;
use qrcodegen::{QrCode, QrCodeEcc};
use rand::RngExt as _;
use rand::rngs::StdRng;
use totp_rs::{Builder, Totp};

use super::token::digest;
use crate::{Problem, Server};

/// What an authenticator app needs, shown once.
pub(crate) struct Enrolment {
    /// In base 32, to be typed.
    pub(crate) secret: String,
    pub(crate) url: String,
    /// The address as a QR code: its rows from the top, `1` for a dark square.
    pub(crate) qr: Vec<String>,
}

const RECOVERY_CODES: usize = 10;
/// No letter looks like another one.
const ALPHABET: &[u8; 32] = b"abcdefghjkmnpqrstuvwxyz023456789";

/// Draws a secret and keeps it in the vault; sign-in asks for codes once one was confirmed.
pub(crate) async fn begin(server: &Server, person: &PersonRow) -> Result<Enrolment, Problem> {
    let catalog = &server.control.catalog;
    if !catalog.begin_second_factor(&person.id).await? {
        return Err(Problem::conflict(
            "second-factor-exists",
            "one-time codes are on already",
        ));
    }
    let secret = totp_rs::Secret::from(rand::rng().random::<[u8; 20]>().to_vec());
    let text = secret.to_base32();
    catalog
        .put_credential(
            &server.control.kek,
            &totp_credential(&person.id),
            "totp",
            &Secret::new(text.clone()),
            server.control.clock.now(),
            // The thread's own generator cannot wait for the database.
            &mut rand::make_rng::<StdRng>(),
        )
        .await?;
    let totp = codes(&text, &person.name)?;
    let url = totp.to_url().map_err(|error| broken(&error))?;
    let qr = squares(&url)?;
    Ok(Enrolment {
        secret: text,
        url,
        qr,
    })
}

fn squares(text: &str) -> Result<Vec<String>, Problem> {
    let code = QrCode::encode_text(text, QrCodeEcc::Medium).map_err(|error| broken(&error))?;
    let side = 0..code.size();
    let row = |y| {
        let squares = side.clone().map(|x| code.get_module(x, y));
        squares.map(|dark| if dark { '1' } else { '0' }).collect()
    };
    Ok(side.clone().map(row).collect())
}

/// Turns codes on by the first one; answers with the recovery codes, which are shown this once.
pub(crate) async fn confirm(
    server: &Server,
    person: &PersonRow,
    code: &str,
) -> Result<Vec<String>, Problem> {
    let wrong = || Problem::field("/code", "not the code of this moment");
    if person.second_factor != SecondFactor::Pending {
        return Err(Problem::conflict(
            "second-factor-exists",
            "no enrolment is under way",
        ));
    }
    let step = step(server, person, code).await?.ok_or_else(wrong)?;
    let recovery: Vec<String> = (0..RECOVERY_CODES).map(|_| recovery_code()).collect();
    let hashes: Vec<String> = recovery.iter().map(|code| digest(&plain(code))).collect();
    if !server
        .control
        .catalog
        .confirm_second_factor(&person.id, step, &hashes)
        .await?
    {
        return Err(wrong());
    }
    Ok(recovery)
}

/// Whether a code of this moment, or a recovery code, is right and was not used before.
pub(crate) async fn prove(
    server: &Server,
    person: &PersonRow,
    code: &str,
) -> Result<bool, Problem> {
    let catalog = &server.control.catalog;
    if let Some(step) = step(server, person, code).await? {
        return Ok(catalog.take_step(&person.id, step).await?);
    }
    Ok(catalog
        .take_recovery_code(&person.id, &digest(&plain(code)))
        .await?)
}

/// The time step that a code belongs to: this one, or one beside it, since clocks differ.
async fn step(server: &Server, person: &PersonRow, code: &str) -> Result<Option<u64>, Problem> {
    let control = &server.control;
    let name = totp_credential(&person.id);
    let Some(secret) = control.catalog.get_credential(&control.kek, &name).await? else {
        return Ok(None);
    };
    let totp = codes(secret.expose(), &person.name)?;
    let seconds = u64::try_from(control.clock.now().as_second()).unwrap_or(0);
    let digits: String = code.chars().filter(|c| !c.is_whitespace()).collect();
    Ok(totp.check(&digits, seconds))
}

fn codes(secret: &str, name: &str) -> Result<Totp, Problem> {
    let secret = totp_rs::Secret::try_from_base32(secret).map_err(|error| broken(&error))?;
    Builder::new()
        .with_secret(secret)
        .with_account_name(name)
        .with_issuer(Some("Keepward"))
        .build()
        .map_err(|error| broken(&error))
}

/// 80 random bits in four groups.
fn recovery_code() -> String {
    let bytes: [u8; 16] = rand::rng().random();
    let letters: Vec<u8> = bytes
        .iter()
        .map(|byte| ALPHABET[usize::from(byte % 32)])
        .collect();
    let groups = letters.chunks(4).map(String::from_utf8_lossy);
    groups.collect::<Vec<_>>().join("-")
}

/// As it was drawn, however it was typed.
fn plain(code: &str) -> String {
    let kept = code.chars().filter(char::is_ascii_alphanumeric);
    kept.map(|c| c.to_ascii_lowercase()).collect()
}

fn broken(error: &dyn std::fmt::Display) -> Problem {
    tracing::error!(%error, "one-time codes cannot be computed");
    Problem::of(axum::http::StatusCode::INTERNAL_SERVER_ERROR)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_drawn_as_squares() {
        let rows = squares("otpauth://totp/a?secret=A").unwrap();
        assert_eq!(rows.len(), 25);
        assert!(rows.iter().all(|row| row.len() == rows.len()));
        // The three corners by which a reader finds it.
        for (row, begin, end) in [
            (0, "1111111", "1111111"),
            (1, "1000001", "1000001"),
            (24, "1111111", ""),
        ] {
            assert!(rows[row].starts_with(begin), "{}", rows[row]);
            assert!(rows[row].ends_with(end), "{}", rows[row]);
        }
        assert!(
            squares(&"x".repeat(4000)).is_err(),
            "more than any code holds"
        );
    }

    #[test]
    fn a_recovery_code_may_be_typed_in_any_way() {
        let code = recovery_code();
        assert_eq!(code.len(), 19);
        let typed = code.to_uppercase().replace('-', " ");
        assert_eq!(plain(&typed), plain(&code));
        assert_ne!(recovery_code(), code);
    }
}
