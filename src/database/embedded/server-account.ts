import { readFileSync, statSync, type Stats } from "node:fs";
import { dirname } from "node:path";
import { AppError } from "../../shared/errors.ts";
import { accountById, accountByName, type Account } from "./account.ts";

/** Whom Postgres runs as when PiCloud is root, which Postgres refuses to be: the first of these that exists. */
const PREFERRED = ["picloud", "postgres", "nobody"];

/**
 * The account this process runs as.
 * @throws AppError `postgres_account` when the user id has no name, which both initdb and peer authentication need
 */
export function ownAccount(): Account {
  const uid = process.getuid?.() ?? 0;
  const known = accountById(uid);
  if (known !== undefined) return known;
  throw new AppError(
    500,
    "postgres_account",
    `The user id ${uid} has no name, which PostgreSQL needs. Run PiCloud as a user that exists, or set DATABASE_URL.`,
  );
}

/**
 * Whom Postgres runs as: this process's own account, unless that is root. A cluster that is there already keeps its
 * owner, so that starting once as root by mistake changes nothing.
 * @param cluster the cluster's folder, which may be missing
 */
export function serverAccount(cluster: string): Account {
  const own = ownAccount();
  if (own.uid !== 0) return own;
  const owner = ownerOf(cluster);
  if (owner !== undefined && owner !== 0) {
    const account = accountById(owner);
    if (account !== undefined) return account;
  }
  for (const name of PREFERRED) {
    const account = accountByName(name);
    if (account !== undefined && account.uid !== 0) return account;
  }
  throw new AppError(
    500,
    "postgres_account",
    `PostgreSQL does not run as root, and none of the users ${PREFERRED.join(", ")} exists. Create one (useradd --system picloud), or set DATABASE_URL.`,
  );
}

/**
 * Whether an account may pass through a folder and all folders above it. Goes by the mode bits; an access list that
 * grants more is not seen, and costs no more than a database that lives elsewhere.
 */
export function canReach(account: Account, folder: string): boolean {
  const groups = groupsOf(account);
  for (let path = folder; ; path = dirname(path)) {
    if (!maySearch(account, groups, statSync(path))) return false;
    if (path === dirname(path)) return true;
  }
}

function maySearch(account: Account, groups: ReadonlySet<number>, info: Stats): boolean {
  if (info.uid === account.uid) return (info.mode & 0o100) !== 0;
  if (groups.has(info.gid)) return (info.mode & 0o010) !== 0;
  return (info.mode & 0o001) !== 0;
}

function ownerOf(path: string): number | undefined {
  return statSync(path, { throwIfNoEntry: false })?.uid;
}

/** name:password:gid:member,member */
function groupsOf(account: Account): ReadonlySet<number> {
  const member = records("/etc/group").filter(([, , , members]) =>
    members?.split(",").includes(account.name),
  );
  return new Set([account.gid, ...member.map(([, , gid]) => Number(gid))]);
}

function records(path: string): string[][] {
  try {
    return readFileSync(path, "utf8")
      .split("\n")
      .filter((line) => line !== "" && !line.startsWith("#"))
      .map((line) => line.split(":"));
  } catch {
    return [];
  }
}
