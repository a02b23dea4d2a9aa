//! Sources of an older catalog, which knew only their names, get their addresses.

use std::collections::BTreeSet;

use model::{SourceFile, SourceId};

use crate::Result;
use crate::db::{Tx, args};
use crate::dialect::Search;
use crate::index::drop_source;

/// Gives each source the address that its snapshots say. Where they say several, two organizations of one name were listed as one: they
/// are taken out, and the next backup or sync lists them apart.
pub(super) async fn read(tx: &mut Tx, search: &Search) -> Result<()> {
    for row in tx.rows("SELECT id FROM source", args![]).await? {
        let source = row.int(0)?;
        let sql = "SELECT source_file FROM snapshot WHERE source = $1";
        let mut said: BTreeSet<Option<SourceId>> = BTreeSet::new();
        for row in tx.rows(sql, args![source]).await? {
            let file: Option<SourceFile> = serde_json::from_str(&row.text(0)?).ok();
            said.insert(file.map(|file| file.id()));
        }
        match (said.pop_first(), said.is_empty()) {
            (Some(Some(id)), true) => {
                let sql = "UPDATE source SET address = $2 WHERE id = $1";
                tx.execute(sql, args![source, id.address]).await?;
            }
            _ => drop_source(tx, search, source).await?,
        }
    }
    Ok(())
}
