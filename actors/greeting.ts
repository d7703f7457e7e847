/** What start prints on stdout when the system is ready: where to go next for a person, one JSON line for a program. */
export type Ready = {
  terminal: boolean;
  host: string;
  port: number;
  adminHost: string;
  adminPort: number;
  version: string;
};

export function greeting({ terminal, host, port, adminHost, adminPort, version }: Ready): string {
  const url = urlOf(host, port);
  const adminUrl = urlOf(adminHost, adminPort);
  if (!terminal) return `${JSON.stringify({ ready: true, version, url, adminUrl })}\n`;
  return [
    "",
    `  Task Tracker ${version} is ready.`,
    "",
    `  API      ${url}/v1   (how to use it: ${url}/docs)`,
    `  Admin    ${adminUrl}/readyz   /metrics   /tree`,
    "",
    "  A first account:",
    "",
    `    curl -s ${url}/v1/auth/register -H 'content-type: application/json' \\`,
    `      -d '{"email":"ada@example.com","password":"correct horse battery"}'`,
    "",
    "  Ctrl-C stops it in order.",
    "",
    "",
  ].join("\n");
}

/** An address to click: a wildcard is reached by the loopback name, IPv6 goes in brackets. */
function urlOf(host: string, port: number): string {
  const reachable = host === "0.0.0.0" || host === "::" ? "localhost" : host.includes(":") ? `[${host}]` : host;
  return `http://${reachable}:${port}`;
}
