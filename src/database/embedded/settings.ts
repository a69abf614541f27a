/**
 * The server's configuration files, written anew at every start: a newer binary's settings reach an older cluster.
 * An operator's own settings go into `custom.conf` beside them, which is read last.
 *
 * What is chosen for: no wake-ups at rest, little memory, no loss. The defaults that the settings replace wake each
 * background process every 0.2 to 10 s.
 */
const SETTINGS = `# Written by PiCloud at every start. Your own settings go into custom.conf in this folder.

# Reachable through a Unix socket in this folder only.
listen_addresses = ''
unix_socket_directories = '.'
unix_socket_permissions = 0700
port = 5432
max_connections = 100
superuser_reserved_connections = 3
authentication_timeout = 10s

# Nothing that was acknowledged is lost.
fsync = on
full_page_writes = on
synchronous_commit = on

# Memory.
shared_buffers = 16MB
work_mem = 4MB
maintenance_work_mem = 32MB
temp_buffers = 1MB
huge_pages = off
jit = off
io_method = sync
max_worker_processes = 0
max_parallel_workers = 0
max_parallel_workers_per_gather = 0
max_parallel_maintenance_workers = 0
max_prepared_transactions = 0
autovacuum_worker_slots = 2
autovacuum_max_workers = 2

# Memory cards and SSDs have no heads to move: an index is worth it for a page of a list.
random_page_cost = 1.1

# No replication: the least WAL, and no process for it.
wal_level = minimal
max_wal_senders = 0
max_logical_replication_workers = 0
min_wal_size = 32MB
max_wal_size = 512MB
wal_buffers = 1MB

# Quiet at rest. A commit wakes who has to work.
checkpoint_timeout = 1h
autovacuum_naptime = 5min
bgwriter_delay = 10s
wal_writer_delay = 10s

# To PiCloud's log. Statements and their values are left out: they may hold secrets.
log_destination = 'stderr'
logging_collector = off
log_line_prefix = '%p %b '
log_min_messages = warning
log_min_error_statement = panic
log_error_verbosity = terse
log_parameter_max_length_on_error = 0
log_checkpoints = off
log_startup_progress_interval = 5s
log_autovacuum_min_duration = -1
log_timezone = 'UTC'
lc_messages = 'C'

timezone = 'UTC'
datestyle = 'iso, mdy'
default_text_search_config = 'pg_catalog.simple'
cluster_name = 'picloud'

`;

/** An operator's own settings, beside postgresql.conf. */
export const CUSTOM_CONF = "custom.conf";

/** After a crash, what was written is put onto the disk by one call, instead of one for each of a thousand files. */
const LINUX_SETTINGS = `# After a crash.
recovery_init_sync_method = syncfs

`;

/** @param custom whether there is a custom.conf */
export function postgresqlConf(custom: boolean): string {
  const linux = process.platform === "linux" ? LINUX_SETTINGS : "";
  return `${SETTINGS}${linux}${custom ? `include '${CUSTOM_CONF}'\n` : ""}`;
}

export const ROLE = "picloud";
export const DATABASE = "picloud";

/** Who connects is known by the operating system, so there is no password. */
export const PG_HBA_CONF = `# Written by PiCloud at every start.
local all ${ROLE} peer map=picloud
`;

/** Maps the account that PiCloud runs as, and root, to the one role. */
export const pgIdentConf = (accounts: readonly string[]): string =>
  ["# Written by PiCloud at every start.", ...accounts.map((name) => `picloud "${name}" ${ROLE}`), ""].join(
    "\n",
  );
