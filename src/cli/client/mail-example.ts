/**
 * How somebody at a shell posts a message to a trigger for e-mail.
 * @param url of the trigger's path
 * @param secret null: no signature is asked for
 */
export function mailExample(url: string, secret: string | null): string {
  const body = `body='{"from": "ada@example.com", "to": "orders@example.com", "text": "Two, please."}'`;
  if (secret === null) return `    ${body}\n    curl ${url} -d "$body"`;
  return [
    body,
    "time=$(date +%s)",
    `signature=$(printf %s "$time.$body" | openssl dgst -sha256 -hmac ${secret} -r | cut -d " " -f 1)`,
    `curl ${url} -d "$body" -H "X-PiCloud-Timestamp: $time" -H "X-PiCloud-Signature: sha256=$signature"`,
  ]
    .map((line) => `    ${line}`)
    .join("\n");
}
