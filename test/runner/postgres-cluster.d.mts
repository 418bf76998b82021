export interface PostgresCluster {
  /** Of a superuser, database `postgres`. */
  readonly url: string;
  stop(): Promise<void>;
}

/** Folder with initdb and postgres of version 15 or later; undefined when there is none. */
export function postgresPrograms(): string | undefined;

export function startPostgresCluster(): Promise<PostgresCluster>;
