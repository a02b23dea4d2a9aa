//! One way to run a statement on either database.

mod row;
mod value;

use sqlx::postgres::PgPool;
use sqlx::sqlite::SqlitePool;
use sqlx::{Postgres, SqlSafeStr, Sqlite, Transaction};

pub(crate) use row::{Row, json, parse_word, word};
pub(crate) use value::{Value, args};

use crate::{Result, dialect};

/// The connections. SQLite has one writer, so that no transaction ever meets another one's lock, and many readers.
#[derive(Clone)]
pub(crate) enum Db {
    Sqlite {
        writer: SqlitePool,
        readers: SqlitePool,
    },
    Postgres(PgPool),
}

impl Db {
    pub(crate) async fn connect(url: &str) -> Result<Self> {
        if url.starts_with("sqlite:") {
            dialect::sqlite::connect(url).await
        } else if url.starts_with("postgres://") || url.starts_with("postgresql://") {
            dialect::postgres::connect(url).await
        } else {
            Err(crate::Error::Address {
                url: url.split('@').next_back().unwrap_or(url).to_owned(),
            })
        }
    }

    pub(crate) async fn close(&self) {
        match self {
            Self::Sqlite { writer, readers } => {
                readers.close().await;
                writer.close().await;
            }
            Self::Postgres(pool) => pool.close().await,
        }
    }

    /// Rows of a statement that only reads.
    pub(crate) async fn read(&self, sql: impl SqlSafeStr, values: Vec<Value>) -> Result<Vec<Row>> {
        match self {
            Self::Sqlite { readers, .. } => dialect::sqlite::rows(readers, sql, values).await,
            Self::Postgres(pool) => dialect::postgres::rows(pool, sql, values).await,
        }
    }

    /// As [`Db::read`]; `None` when PostgreSQL is not soon ready with it.
    pub(crate) async fn read_soon(
        &self,
        sql: impl SqlSafeStr,
        values: Vec<Value>,
    ) -> Result<Option<Vec<Row>>> {
        match self {
            Self::Sqlite { .. } => self.read(sql, values).await.map(Some),
            Self::Postgres(pool) => dialect::postgres::rows_soon(pool, sql, values).await,
        }
    }

    pub(crate) async fn read_one(
        &self,
        sql: impl SqlSafeStr,
        values: Vec<Value>,
    ) -> Result<Option<Row>> {
        Ok(self.read(sql, values).await?.pop())
    }

    /// A single statement that writes; answers how many rows it touched.
    pub(crate) async fn write(&self, sql: impl SqlSafeStr, values: Vec<Value>) -> Result<u64> {
        match self {
            Self::Sqlite { writer, .. } => dialect::sqlite::execute(writer, sql, values).await,
            Self::Postgres(pool) => dialect::postgres::execute(pool, sql, values).await,
        }
    }

    /// A single statement that writes and answers with rows.
    pub(crate) async fn write_rows(
        &self,
        sql: impl SqlSafeStr,
        values: Vec<Value>,
    ) -> Result<Vec<Row>> {
        match self {
            Self::Sqlite { writer, .. } => dialect::sqlite::rows(writer, sql, values).await,
            Self::Postgres(pool) => dialect::postgres::rows(pool, sql, values).await,
        }
    }

    /// A transaction that may write; dropped without `commit` it is undone.
    pub(crate) async fn begin(&self) -> Result<Tx> {
        Ok(match self {
            Self::Sqlite { writer, .. } => Tx::Sqlite(writer.begin_with("BEGIN IMMEDIATE").await?),
            Self::Postgres(pool) => Tx::Postgres(pool.begin().await?),
        })
    }
}

/// A transaction on either database.
pub(crate) enum Tx {
    Sqlite(Transaction<'static, Sqlite>),
    Postgres(Transaction<'static, Postgres>),
}

impl Tx {
    pub(crate) async fn rows(
        &mut self,
        sql: impl SqlSafeStr,
        values: Vec<Value>,
    ) -> Result<Vec<Row>> {
        match self {
            Self::Sqlite(tx) => dialect::sqlite::rows(&mut **tx, sql, values).await,
            Self::Postgres(tx) => dialect::postgres::rows(&mut **tx, sql, values).await,
        }
    }

    pub(crate) async fn one(
        &mut self,
        sql: impl SqlSafeStr,
        values: Vec<Value>,
    ) -> Result<Option<Row>> {
        Ok(self.rows(sql, values).await?.pop())
    }

    pub(crate) async fn execute(
        &mut self,
        sql: impl SqlSafeStr,
        values: Vec<Value>,
    ) -> Result<u64> {
        match self {
            Self::Sqlite(tx) => dialect::sqlite::execute(&mut **tx, sql, values).await,
            Self::Postgres(tx) => dialect::postgres::execute(&mut **tx, sql, values).await,
        }
    }

    /// Several statements without arguments.
    pub(crate) async fn script(&mut self, sql: String) -> Result<()> {
        let sql = sqlx::raw_sql(sqlx::AssertSqlSafe(sql));
        match self {
            Self::Sqlite(tx) => sql.execute(&mut **tx).await.map(|_| ())?,
            Self::Postgres(tx) => sql.execute(&mut **tx).await.map(|_| ())?,
        }
        Ok(())
    }

    pub(crate) async fn commit(self) -> Result<()> {
        match self {
            Self::Sqlite(tx) => tx.commit().await?,
            Self::Postgres(tx) => tx.commit().await?,
        }
        Ok(())
    }

    /// `head VALUES (…), (…) tail` for rows that lie one after the other in `values`.
    pub(crate) async fn insert(
        &mut self,
        head: &str,
        columns: usize,
        values: Vec<Value>,
        tail: &str,
    ) -> Result<u64> {
        if values.is_empty() {
            return Ok(0);
        }
        let sql = self.values(head, columns, values.len() / columns, tail);
        self.execute(sqlx::AssertSqlSafe(sql), values).await
    }

    pub(crate) fn values(&self, head: &str, columns: usize, rows: usize, tail: &str) -> String {
        let mut sql = String::with_capacity(head.len() + tail.len() + rows * columns * 6);
        sql.push_str(head);
        sql.push_str(" VALUES ");
        for row in 0..rows {
            sql.push_str(if row == 0 { "(" } else { ",(" });
            for column in 0..columns {
                if column > 0 {
                    sql.push(',');
                }
                self.placeholder(&mut sql, row * columns + column + 1);
            }
            sql.push(')');
        }
        sql.push(' ');
        sql.push_str(tail);
        sql
    }

    /// SQLite looks numbered parameters up by name, one after the other: thousands of them must be anonymous.
    fn placeholder(&self, sql: &mut String, number: usize) {
        match self {
            Self::Sqlite(_) => sql.push('?'),
            Self::Postgres(_) => {
                sql.push('$');
                sql.push_str(&number.to_string());
            }
        }
    }
}
