/** What only the scripts of an app may know, and keys of the server itself, sealed in the database. */
export { openText, sealText, type SealedText } from "./app-sealed.ts";
export { createKeyring, type Keyring } from "./keyring.ts";
export type { AppKey } from "./queries.ts";
export { SecretDTO, SecretName } from "./model.ts";
export { checkKeys, rotateKeys, rotationState, type RotationState } from "./rotation.ts";
export { findServerKey, serverKey, type ServerKeyName } from "./server-key.ts";
export { listSecrets, MAX_SECRET_BYTES, readSecret, removeSecret, writeSecret } from "./secrets.ts";
