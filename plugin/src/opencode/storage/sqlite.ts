/** A value of a column; blobs are not among those that are read. */
export type Value = string | number | null
export type Row = Record<string, unknown>

/** A database of SQLite, as Node.js and bun both open one. */
export interface Database {
  all(sql: string, ...values: Value[]): Row[]
  run(sql: string, ...values: Value[]): void
  close(): void
}

type Open = (path: string, isWritable: boolean) => Database

/** Milliseconds for which a statement waits for another process to unlock the database. */
const BUSY_TIMEOUT = 5_000

/** How this runtime opens a database; undefined where it has no SQLite, as Node.js before version 22.13. */
export async function sqlite(): Promise<Open | undefined> {
  return process.versions.bun ? await bunSqlite() : await nodeSqlite()
}

async function bunSqlite(): Promise<Open> {
  const { Database } = await import("bun:sqlite")
  return (path, isWritable) => {
    const database = new Database(path, isWritable ? { readwrite: true } : { readonly: true })
    database.run(`PRAGMA busy_timeout = ${BUSY_TIMEOUT}`)
    return {
      all: (sql, ...values) => database.query<Row, Value[]>(sql).all(...values),
      run: (sql, ...values) => void database.run(sql, values),
      close: () => database.close(),
    }
  }
}

async function nodeSqlite(): Promise<Open | undefined> {
  const { DatabaseSync } = (await withoutWarning(() => import("node:sqlite")).catch(() => undefined)) ?? {}
  if (!DatabaseSync) return undefined
  return (path, isWritable) => {
    const database = new DatabaseSync(path, { readOnly: !isWritable })
    database.exec(`PRAGMA busy_timeout = ${BUSY_TIMEOUT}`)
    return {
      all: (sql, ...values) => database.prepare(sql).all(...values),
      run: (sql, ...values) => void database.prepare(sql).run(...values),
      close: () => database.close(),
    }
  }
}

/** Node.js calls its SQLite experimental on the standard error, which scripts read. */
async function withoutWarning<T>(action: () => Promise<T>): Promise<T> {
  const { emitWarning } = process
  process.emitWarning = () => undefined
  try {
    return await action()
  } finally {
    process.emitWarning = emitWarning
  }
}
