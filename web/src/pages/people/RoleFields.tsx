import { makeStyles, Text, tokens } from "@fluentui/react-components";
import { Choices } from "../../components/Choices";
import { useTexts } from "../../texts";
import { allowed, ROLES, superfluous } from "./roles";
import "./texts";

const useStyles = makeStyles({
  role: { display: "flex", flexDirection: "column" },
  quiet: { color: tokens.colorNeutralForeground2 },
});

interface Props {
  roles: readonly string[];
  onChange: (roles: string[]) => void;
  refused?: string | undefined;
}

/** Roles with what each is for, and what they come to together. */
export function RoleFields({ roles, onChange, refused }: Props) {
  const t = useTexts("people");
  const styles = useStyles();
  const more = superfluous(roles);
  return (
    <>
      <Choices
        label={t("form.roles")}
        wrong={refused ?? (roles.length === 0 ? t("form.rolesNone") : undefined)}
        of={ROLES}
        chosen={roles}
        onChange={onChange}
        words={(role) => (
          <span className={styles.role}>
            <Text>{t(`role.${role}`)}</Text>
            <Text size={200} className={styles.quiet}>
              {t(`roleAbout.${role}`)}
            </Text>
          </span>
        )}
      />
      {more.length > 0 && (
        <Text size={200} className={styles.quiet}>
          {t("form.superfluous", { roles: more.map((role) => t(`role.${role}`)).join(", ") })}
        </Text>
      )}
      {roles.length > 0 && (
        <Text size={200} className={styles.quiet} aria-live="polite">
          {t("form.result")}: {allowed(roles).map((permission) => t(`permission.${permission}`)).join(" · ")}
        </Text>
      )}
    </>
  );
}
