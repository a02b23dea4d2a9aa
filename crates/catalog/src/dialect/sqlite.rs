//! SQLite.

use std::path::Path;
use std::str::FromStr as _;
use std::time::Duration;

use sqlx::sqlite::{
    SqliteArguments, SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous,
};
use sqlx::{Arguments as _, ConnectOptions as _, Connection as _, Executor, SqlSafeStr, Sqlite};

use super::{Dialect, Search};
use crate::Result;
use crate::db::{Db, Row, Value, args};
use crate::index::{Part, Query, Term};

/// One connection writes, so nothing needs to be locked or skipped here.
pub(crate) const DIALECT: Dialect = Dialect {
    text: "TEXT",
    blob: "BLOB",
    serial: "INTEGER PRIMARY KEY",
    clustered: "WITHOUT ROWID",
    schema_lock: None,
    schema_made: "SELECT 1 FROM sqlite_schema WHERE name = 'schema_version'",
    claim: "UPDATE job SET state = 'leased', owner = $1, lease_until = $3, token = token + 1, attempt = attempt + 1
        WHERE id = (SELECT j.id FROM job j
            WHERE (j.state = 'queued' OR (j.state = 'leased' AND j.lease_until <= $2))
              AND ($4 IS NULL OR j.run = $4)
              AND NOT EXISTS (SELECT 1 FROM job o WHERE o.concurrency_key = j.concurrency_key AND o.state = 'leased' AND o.id <> j.id)
            ORDER BY j.created, j.id LIMIT 1)
        RETURNING id, run, token, payload, checkpoint, attempt",
    // `INSERT OR REPLACE` removes a row without its trigger, so it is refused where it would.
    audit_is_append_only: "CREATE TRIGGER audit_no_update BEFORE UPDATE ON audit
            BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;
        CREATE TRIGGER audit_no_delete BEFORE DELETE ON audit
            BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;
        CREATE TRIGGER audit_no_replace BEFORE INSERT ON audit WHEN EXISTS (SELECT 1 FROM audit WHERE seq = NEW.seq)
            BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;",
    queue_lock: None,
    like: "LIKE",
    analyze: None,
    search: Search {
        // Words come as they are to be found: nothing is left for the tokenizer to decide.
        tables: "CREATE VIRTUAL TABLE text_words USING fts5(name, body, content='', contentless_delete=1, tokenize='ascii');",
        vocabulary: "CREATE VIRTUAL TABLE text_vocabulary USING fts5vocab(text_words, instance);",
        id: "rowid",
        new_ids: "WITH RECURSIVE numbers (id) AS (SELECT coalesce(max(id), 0) + 1 FROM item_text UNION ALL SELECT id + 1 FROM numbers LIMIT $1)
            SELECT id FROM numbers",
        insert: ("INSERT INTO text_words (rowid, name, body)", 3, ""),
        document: |name, body| args![name.join(" "), body.join(" ")],
        newest: "SELECT rowid FROM text_words WHERE text_words MATCH $1 AND rowid < $2 ORDER BY rowid DESC LIMIT $3",
        newest_looked_at: None,
        places: "SELECT count(*) FROM (SELECT 1 FROM text_vocabulary WHERE term >= $1 AND term <= $2 LIMIT $3)",
        matches: (".text_words MATCH ", ""),
        expression,
        ordered_join: "CROSS JOIN",
    },
};

/// Words are letters and digits, so that quotes make them plain words.
fn expression(query: &Query, part: Part) -> String {
    let term = |term: &Term| {
        let star = if term.prefix { " *" } else { "" };
        format!("\"{}\"{star}", term.words.join(" "))
    };
    let join = |terms: &[Term], word: &str| terms.iter().map(term).collect::<Vec<_>>().join(word);
    let all = format!("({})", join(&query.all, " AND "));
    let none = (!query.none.is_empty()).then(|| format!("({})", join(&query.none, " OR ")));
    let named = format!("({{name}} : {all})");
    let (mut found, none) = match part {
        Part::Named => (named, none),
        Part::Any => (all, none),
        Part::Rest => (format!("({all} NOT {named})"), none),
        Part::NameAlone => (named, none.map(|none| format!("({{name}} : {none})"))),
    };
    if let Some(none) = none {
        found = format!("{found} NOT {none}");
    }
    found
}

const READERS: u32 = 4;

pub(crate) async fn connect(url: &str) -> Result<Db> {
    let options = SqliteConnectOptions::from_str(url)?;
    if url.contains(":memory:") || url.contains("mode=memory") {
        let writer = pool()
            .max_connections(1)
            .connect_with(tuned(options))
            .await?;
        return Ok(Db::Sqlite {
            readers: writer.clone(),
            writer,
        });
    }
    connect_file(options).await
}

/// A path needs no escaping, unlike an address.
pub(crate) async fn open(path: &Path) -> Result<Db> {
    connect_file(SqliteConnectOptions::new().filename(path)).await
}

async fn connect_file(options: SqliteConnectOptions) -> Result<Db> {
    let options = tuned(options);
    // A full disk makes SQLite roll back by itself (https://sqlite.org/lang_transaction.html), which sqlx does not notice: it counts on a
    // transaction that nobody can end. Such a connection is never used again.
    let writer = pool()
        .max_connections(1)
        .before_acquire(|connection, _| Box::pin(async { Ok(!connection.is_in_transaction()) }));
    let writer = writer
        .connect_with(options.clone().pragma("cache_size", "-8192"))
        .await?;
    let readers = pool().max_connections(READERS);
    let readers = readers
        .connect_with(options.pragma("query_only", "ON"))
        .await?;
    Ok(Db::Sqlite { writer, readers })
}

fn tuned(options: SqliteConnectOptions) -> SqliteConnectOptions {
    options
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        // A power cut must not take back what was relied on: a restore's intent, a rotated token, the password of a new repository.
        .synchronous(SqliteSynchronous::Full)
        .busy_timeout(Duration::from_secs(30))
        .pragma("journal_size_limit", "67108864")
        .disable_statement_logging()
}

/// Connections never expire: in memory the database would go with its last one.
fn pool() -> SqlitePoolOptions {
    SqlitePoolOptions::new()
        .idle_timeout(None)
        .max_lifetime(None)
        .acquire_timeout(Duration::from_mins(5))
        // The writer is waited for while a large snapshot is listed, which is nobody's worry.
        .acquire_slow_threshold(Duration::from_mins(5))
}

fn arguments(values: Vec<Value>) -> Result<SqliteArguments> {
    let mut arguments = SqliteArguments::default();
    arguments.reserve(values.len(), 0);
    for value in values {
        match value {
            Value::Int(value) => arguments.add(value),
            Value::Text(value) => arguments.add(value),
            Value::Blob(value) => arguments.add(value),
        }
        .map_err(sqlx::Error::Encode)?;
    }
    Ok(arguments)
}

pub(crate) async fn rows<'c>(
    on: impl Executor<'c, Database = Sqlite>,
    sql: impl SqlSafeStr,
    values: Vec<Value>,
) -> Result<Vec<Row>> {
    let rows = sqlx::query_with(sql, arguments(values)?)
        .fetch_all(on)
        .await?;
    Ok(rows.into_iter().map(Row::Sqlite).collect())
}

pub(crate) async fn execute<'c>(
    on: impl Executor<'c, Database = Sqlite>,
    sql: impl SqlSafeStr,
    values: Vec<Value>,
) -> Result<u64> {
    Ok(sqlx::query_with(sql, arguments(values)?)
        .execute(on)
        .await?
        .rows_affected())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_was_full_is_written_again_once_there_is_space() {
        let folder = tempfile::tempdir().unwrap();
        let db = open(&folder.path().join("catalog.db")).await.unwrap();
        let words = async |text: String| {
            let mut tx = db.begin().await?;
            tx.execute("INSERT INTO words VALUES ($1)", args![text])
                .await?;
            tx.commit().await
        };
        db.write("CREATE TABLE words (word TEXT)", args![])
            .await
            .unwrap();
        // It holds for this connection alone, as the full disk does for a time.
        db.write_rows("PRAGMA max_page_count = 3", args![])
            .await
            .unwrap();
        let full = words("many words ".repeat(10_000)).await.unwrap_err();
        assert_eq!(full.code(), Some("disk-full"), "{full}");
        for word in ["one", "two"] {
            words(word.to_owned()).await.unwrap();
        }
        let rows = db.read("SELECT word FROM words", args![]).await.unwrap();
        assert_eq!(rows.len(), 2);
    }

    #[tokio::test]
    async fn a_file_that_is_damaged_says_so() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("catalog.db");
        let db = open(&path).await.unwrap();
        db.write("CREATE TABLE words (word TEXT)", args![])
            .await
            .unwrap();
        for _ in 0..100 {
            let text = "word".repeat(100);
            db.write("INSERT INTO words VALUES ($1)", args![text])
                .await
                .unwrap();
        }
        db.close().await;
        let whole = std::fs::read(&path).unwrap();
        let mut zeroed = whole.clone();
        zeroed[4096..].fill(0);
        for damaged in [&zeroed, &b"no database at all".repeat(300)] {
            std::fs::write(&path, damaged).unwrap();
            let read = async {
                let db = open(&path).await?;
                db.read("SELECT count(*), min(word) FROM words", args![])
                    .await
            };
            assert_eq!(
                read.await.err().and_then(|error| error.code()),
                Some("catalog-damaged")
            );
        }
    }
}
