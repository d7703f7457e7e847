/** E-mail addresses: their form, and what makes two of them the same. */

const local = /^[^\s"(),:;<>@[\\\]\p{Cc}\p{Cf}\p{Co}\p{Z}]+$/u;
const domain =
  /^(?:[\p{L}\p{N}](?:[\p{L}\p{M}\p{N}-]*[\p{L}\p{M}\p{N}])?\.)*[\p{L}\p{N}](?:[\p{L}\p{M}\p{N}-]*[\p{L}\p{M}\p{N}])?$/u;

/** The fault of an address (unquoted, international ones and those of a domain without a dot included), or undefined. Whether it is reached, only a mail could tell. */
export function emailFault(value: string): string | undefined {
  const at = value.lastIndexOf("@");
  const name = value.slice(0, at);
  const sound = at > 0 && local.test(name) && !name.startsWith(".") && !name.endsWith(".") && !name.includes("..");
  return sound && domain.test(value.slice(at + 1)) ? undefined : "must be an e-mail address";
}

/** Equal for addresses that differ only in case or in Unicode's composition. Lower then upper case stands in for case folding. */
export function emailKey(email: string): string {
  return email.normalize("NFC").toLowerCase().normalize("NFC").toUpperCase().normalize("NFC");
}
