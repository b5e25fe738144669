export { migrate, MigrationError } from './migrate.ts';
export type { MigrateOptions, MigrateResult, MigrationErrorCode } from './migrate.ts';
export { schemaDump } from './schema-dump.ts';
