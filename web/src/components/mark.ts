import { tokens } from "@fluentui/react-components";

/** How the code of a character looks that cannot be seen: in texts of the console and in those of others alike. */
export const MARK = {
  padding: "0 3px",
  borderRadius: tokens.borderRadiusSmall,
  border: `1px solid ${tokens.colorStatusWarningBorder1}`,
  backgroundColor: tokens.colorStatusWarningBackground1,
  color: tokens.colorNeutralForeground1,
  fontFamily: tokens.fontFamilyMonospace,
  fontSize: "0.9em",
  whiteSpace: "nowrap",
} as const;
