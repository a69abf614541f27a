/** What stands in the log where a value was. */
export const NOT_RECORDED = "[not recorded]";

/**
 * Names of headers, parameters and members whose values are secrets, without regard to case and separators. Errs on the
 * side of more: a value that is missing in a log can be had elsewhere, a password in a log cannot be taken back.
 */
const SECRET =
  /passw|passphrase|passcode|(?:^|user|db|smtp|admin)pass$|pwd|secret|token|apikey|accesskey|privatekey|authorization|^x?auth(?:key)?$|signature|^sig$|credential|cookie|sessionid|^(?:otp|totp|pin|pincode|cvv2?|cvc2?|ssn|cardnumber)$/;

/** Whether a value of this name is kept out of the log. */
export const looksSecret = (name: string): boolean =>
  SECRET.test(
    name
      .slice(0, 256)
      .toLowerCase()
      .replaceAll(/[^a-z0-9]/g, ""),
  );
