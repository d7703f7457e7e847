/** What start prints on stdout when the system is ready: where to go next for a person, one JSON line for a program. */
export type Ready = {
  terminal: boolean;
  host: string;
  /** Undefined where no public port is open (`ROLE=consumer`). */
  port: number | undefined;
  adminHost: string;
  adminPort: number;
  version: string;
};

export function banner({ terminal, host, port, adminHost, adminPort, version }: Ready): string {
  const url = port === undefined ? undefined : urlOf(host, port);
  const adminUrl = urlOf(adminHost, adminPort);
  if (!terminal) return `${JSON.stringify({ ready: true, version, url, adminUrl })}\n`;
  const api = `  API      ${url}/v1   (how to use it: ${url}/docs)`;
  const account = [
    "  A first account:",
    "",
    `    curl -s ${url}/v1/auth/register -H 'content-type: application/json' \\`,
    `      -d '{"email":"ada@example.com","password":"correct horse battery"}'`,
    "",
  ];
  return [
    "",
    `  Task Tracker ${version} is ready.`,
    "",
    ...(url === undefined ? [] : [api]),
    `  Admin    ${adminUrl}/readyz   /metrics   /tree`,
    "",
    ...(url === undefined ? [] : account),
    "  Ctrl-C shuts down gracefully.",
    "",
    "",
  ].join("\n");
}

/** An address to click: a wildcard is reached by the loopback name, IPv6 goes in brackets. */
function urlOf(host: string, port: number): string {
  const reachable = host === "0.0.0.0" || host === "::" ? "localhost" : host.includes(":") ? `[${host}]` : host;
  return `http://${reachable}:${port}`;
}
