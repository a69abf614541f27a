import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import manifest from "../../package.json" with { type: "json" };
import { loadConfig } from "../../src/config.ts";

const ROOT = join(import.meta.dir, "../..");
const text = (path: string): string => readFileSync(join(ROOT, path), "utf8");

interface Service {
  readonly image: string;
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>;
  readonly environment?: Readonly<Record<string, string>>;
  readonly volumes?: readonly string[];
  readonly ports?: readonly string[];
  readonly networks?: readonly string[] | Readonly<Record<string, { readonly ipv4_address: string }>>;
  readonly healthcheck?: { readonly test: readonly string[] };
}

interface Compose {
  readonly services: { readonly postgres: Service; readonly picloud: Service; readonly caddy: Service };
  readonly networks: Readonly<Record<string, { readonly internal?: boolean }>>;
  readonly volumes: Readonly<Record<string, null>>;
}

/** `${NAME:-default}` as compose reads it in an empty environment. */
const defaults = (value: string): string => value.replace(/\$\{\w+:-([^}]*)\}/g, "$1");

describe("the compose file", () => {
  const compose = Bun.YAML.parse(text("docker/compose.yaml")) as Compose;
  const { postgres, picloud, caddy } = compose.services;

  test("starts in order: healthy postgres, healthy picloud, caddy", () => {
    expect(postgres.healthcheck?.test.join(" ")).toContain("pg_isready");
    expect(picloud.depends_on?.["postgres"]?.condition).toBe("service_healthy");
    expect(caddy.depends_on?.["picloud"]?.condition).toBe("service_healthy");
    expect(text("docker/Dockerfile")).toContain("HEALTHCHECK");
  });

  test("is the image of this release", () => {
    expect(picloud.image).toBe(`picloud:${manifest.version}`);
  });

  test("gives PiCloud settings that it accepts without any of ours", () => {
    const environment = Object.fromEntries(
      Object.entries(picloud.environment ?? {}).map(([name, value]) => [name, defaults(value)]),
    );
    const config = loadConfig({}, environment, false);
    expect(config.warnings).toEqual([]);
    expect(config.admin).toBeNull();
    expect(config.databaseUrl).toBe("postgres://picloud:picloud@postgres:5432/picloud");
    expect(config.databaseUrl).toContain(defaults(postgres.environment?.["POSTGRES_PASSWORD"] ?? "none"));
  });

  test("shows only Caddy to the outside, and the database to PiCloud alone", () => {
    expect(postgres.ports).toBeUndefined();
    expect(picloud.ports).toBeUndefined();
    expect(caddy.ports).toEqual(["80:80", "443:443", "443:443/udp"]);
    expect(compose.networks["database"]?.internal).toBe(true);
    expect(postgres.networks).toEqual(["database"]);
    expect(Object.keys(caddy.networks ?? {})).toEqual(["front"]);
  });

  test("trusts forwarded headers from Caddy's address", () => {
    const networks = caddy.networks;
    const address = networks !== undefined && "front" in networks ? networks.front.ipv4_address : "none";
    expect(picloud.environment?.["PICLOUD_TRUSTED_PROXIES"]).toBe(address);
  });

  test("keeps data in named volumes", () => {
    for (const service of [postgres, picloud, caddy]) {
      for (const volume of service.volumes ?? []) {
        const [source = ""] = volume.split(":");
        if (!source.startsWith(".")) expect(compose.volumes).toHaveProperty(source);
      }
    }
    expect(picloud.volumes).toEqual(["picloud-data:/var/lib/picloud"]);
  });
});

describe("the Dockerfile", () => {
  const dockerfile = text("docker/Dockerfile");

  test("ends in an unprivileged user with the data directory as its volume", () => {
    const final = dockerfile.slice(dockerfile.lastIndexOf("\nFROM "));
    expect(final).toContain("FROM debian:12-slim");
    expect(final).toMatch(/^USER picloud$/m);
    expect(final).toContain("VOLUME /var/lib/picloud");
    expect(final).toMatch(/^ENTRYPOINT \["picloud"\]\nCMD \["serve"\]$/m);
  });

  test("asks /readyz with what the image has", async () => {
    const command: unknown = JSON.parse(/^ {2}CMD (\[.*\])$/m.exec(dockerfile)?.[1] ?? "[]");
    let status = 200;
    const server = Bun.serve({
      port: 0,
      hostname: "127.0.0.1",
      fetch: (request) =>
        new Response("", { status: new URL(request.url).pathname === "/readyz" ? status : 404 }),
    });
    const check = async (port: number): Promise<number> => {
      const [program = "", ...args] = (command as string[]).map((part) => part.replace("8080", String(port)));
      return await Bun.spawn([program, ...args], { stderr: "ignore" }).exited;
    };
    const port = server.port ?? 0;
    expect(await check(port)).toBe(0);
    status = 503;
    expect(await check(port)).not.toBe(0);
    await server.stop(true);
    expect(await check(port)).not.toBe(0);
  });
});

describe("the systemd unit", () => {
  const unit = text("docker/picloud.service");

  test("signals PiCloud alone and waits for running scripts", () => {
    expect(unit).toMatch(/^KillMode=mixed$/m);
    expect(Number(/^TimeoutStopSec=(\d+)$/m.exec(unit)?.[1])).toBeGreaterThan(25);
    expect(unit).toMatch(/^Restart=always$/m);
    expect(unit).toMatch(/^RestartSec=2$/m);
  });

  test("runs unprivileged, in a state directory of its own, and may compile scripts", () => {
    for (const line of [
      "DynamicUser=yes",
      "StateDirectory=picloud",
      "NoNewPrivileges=yes",
      "ProtectSystem=strict",
    ]) {
      expect(unit.split("\n")).toContain(line);
    }
    expect(unit).not.toMatch(/^MemoryDenyWriteExecute=yes/m);
  });
});

describe("the Caddyfile", () => {
  const caddy = Bun.which("caddy");

  test("forwards to PiCloud on this machine unless told otherwise", () => {
    expect(text("caddy/Caddyfile")).toContain("reverse_proxy {$PICLOUD_UPSTREAM:127.0.0.1:8080}");
  });

  test.skipIf(caddy === null)("is valid, for every host and for a domain with TLS", async () => {
    for (const site of ["http://", "pi.example.com, *.apps.example.com"]) {
      const run = Bun.spawn(
        [caddy ?? "caddy", "validate", "--adapter", "caddyfile", "--config", join(ROOT, "caddy/Caddyfile")],
        { env: { ...process.env, PICLOUD_SITE: site }, stdout: "pipe", stderr: "pipe" },
      );
      const output = (await run.stdout.text()) + (await run.stderr.text());
      expect(output).toContain("Valid configuration");
      expect(output).not.toContain("not formatted");
    }
  });

  if (caddy === null)
    process.stderr.write("skipped: the Caddyfile is not validated, as there is no caddy on PATH\n");
});
