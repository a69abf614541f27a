import { loadConfig, type Flags } from "../config.ts";
import { existingSecretKey } from "../data-directory.ts";
import { createKeyring, rotateKeys } from "../services/secrets/index.ts";
import { EXIT } from "./exit.ts";
import { withHostDatabase } from "./host-database.ts";
import { write } from "./output.ts";

/**
 * `picloud rotate-key`: seals what old keys sealed with the current one, whether or not the server runs. It can be
 * stopped and started again.
 * @throws AppError when the database cannot be opened, or a key is missing
 */
export async function rotateKey(flags: Pick<Flags, "dataDir" | "databaseUrl">): Promise<number> {
  const config = loadConfig(flags);
  const keyring = createKeyring(config.secretKey ?? existingSecretKey(config.dataDir), config.oldSecretKeys);
  const say = (text: string): void => write("stderr", `${text}\n`);
  const rotated = await withHostDatabase(config, (db) =>
    rotateKeys(db, keyring, ({ done, left }) =>
      say(
        `${done} of ${done + left} ${done + left === 1 ? "app is" : "apps are"} sealed with the current key`,
      ),
    ),
  );
  say(
    rotated === 0
      ? "Nothing to do: everything is sealed with the current key."
      : `Done: ${rotated} sealed anew.`,
  );
  if (config.oldSecretKeys.length > 0) say("PICLOUD_SECRET_KEYS_OLD is of no use any more.");
  return EXIT.ok;
}
