import { Checkbox, makeStyles, Text, tokens } from "@fluentui/react-components";
import { Group } from "../../components/Group";
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
  const toggle = (role: string, on: boolean) => onChange(on ? [...roles, role] : roles.filter((one) => one !== role));
  const more = superfluous(roles);
  const wrong = refused ?? (roles.length === 0 ? t("form.rolesNone") : undefined);
  return (
    <>
      <Group label={t("form.roles")} wrong={wrong}>
        {ROLES.map((role) => (
          <Checkbox
            key={role}
            style={{ display: "flex", alignItems: "flex-start" }}
            checked={roles.includes(role)}
            onChange={(_, { checked }) => toggle(role, checked === true)}
            label={
              <span className={styles.role}>
                <Text>{t(`role.${role}`)}</Text>
                <Text size={200} className={styles.quiet}>
                  {t(`roleAbout.${role}`)}
                </Text>
              </span>
            }
          />
        ))}
      </Group>
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
