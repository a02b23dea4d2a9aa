//! The credential that a connector has for itself goes by its name.

use rand::CryptoRng;

use crate::credentials;
use crate::db::{Tx, args};
use crate::vault::envelope::{self, Sealed, Seed};
use crate::{Error, Kek, Result};

/// A secret is sealed for its name: it is opened, and sealed anew.
pub(super) async fn copy<R: CryptoRng + ?Sized>(
    tx: &mut Tx,
    kek: &Kek,
    from: &str,
    to: &str,
    rng: &mut R,
) -> Result<()> {
    let (from_key, to_key) = (from.to_lowercase(), to.to_lowercase());
    let sql = "SELECT version, wrapped, sealed FROM credential WHERE key = $1";
    let row = tx.one(sql, args![&from_key]).await?;
    let row = row.ok_or_else(|| Error::CredentialUnknown {
        name: from.to_owned(),
    })?;
    let sealed = Sealed {
        wrapped: row.blob(1)?,
        sealed: row.blob(2)?,
    };
    let version = row.int(0)?;
    let secret = envelope::open(kek, &from_key, version, &sealed)?;
    let Sealed { wrapped, sealed } =
        envelope::seal(kek, &to_key, version, &secret, &Seed::draw(rng))?;
    let sql = "INSERT INTO credential (key, name, method, version, wrapped, sealed, created, updated, sign_in, expires,
            used, tested, test_error)
        SELECT $2, $3, method, version, $4, $5, created, updated, sign_in, expires, used, tested, test_error
        FROM credential WHERE key = $1";
    match tx
        .execute(sql, args![from_key, to_key, to, wrapped, sealed])
        .await
    {
        Err(error) if error.is_unique() => Err(credentials::exists(to)),
        copied => copied.map(drop),
    }
}

/// Takes the old one away; others may have come to use it too.
pub(super) async fn leave(tx: &mut Tx, from: &str, to: &str) -> Result<()> {
    let (from, key) = (from.to_lowercase(), to.to_lowercase());
    for sql in [
        "UPDATE connector SET credential = $3, credential_key = $2 WHERE credential_key = $1",
        "UPDATE connector SET restore_credential = $3, restore_key = $2 WHERE restore_key = $1",
    ] {
        tx.execute(sql, args![&from, &key, to]).await?;
    }
    for sql in [
        "UPDATE app_profile SET credential_key = $2 WHERE credential_key = $1",
        "UPDATE channel SET credential_key = $2 WHERE credential_key = $1",
    ] {
        tx.execute(sql, args![&from, &key]).await?;
    }
    let sql = "DELETE FROM credential WHERE key = $1";
    tx.execute(sql, args![from]).await.map(drop)
}
