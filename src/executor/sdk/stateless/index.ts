/** Namespaces that need no service (CONTRACT 4.9). */
import type { SdkNamespace } from "../define.ts";
import { base64, hex } from "./encoding.ts";
import { hash } from "./hash.ts";
import { json } from "./json.ts";
import { log } from "./log.ts";
import { random } from "./random.ts";
import { regex } from "./regex.ts";
import { time } from "./time.ts";
import { url } from "./url.ts";

export const stateless: readonly SdkNamespace[] = [base64, hash, hex, json, log, random, regex, time, url];
