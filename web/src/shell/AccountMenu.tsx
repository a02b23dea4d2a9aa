import {
  Button,
  makeStyles,
  Menu,
  MenuDivider,
  MenuGroup,
  MenuGroupHeader,
  MenuItem,
  MenuItemRadio,
  MenuList,
  MenuPopover,
  MenuTrigger,
} from "@fluentui/react-components";
import { PersonRegular } from "@fluentui/react-icons";
import { useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { client } from "../api/client";
import { Problem } from "../api/problem";
import { useTellRefusal } from "../components/tell";
import { dropAllBaskets } from "../pages/restore/useBasket";
import { useTexts } from "../texts";
import { useMe } from "./session";
import { choose, useTheme, type Choice } from "./theme";

const useStyles = makeStyles({
  button: { minWidth: 0, flexShrink: 1 },
  name: { overflow: "hidden", textOverflow: "ellipsis", whiteSpace: "nowrap" },
});

/** Who is signed in, how the page looks, and the way out. */
export function AccountMenu() {
  const styles = useStyles();
  const t = useTexts();
  const me = useMe();
  const { choice } = useTheme();
  const navigate = useNavigate();
  const queries = useQueryClient();
  const refused = useTellRefusal();
  const signOut = async () => {
    try {
      await client.DELETE("/session");
    } catch (error) {
      // A session that has ended already is what was asked for.
      if (Problem.from(error).status !== 401) return refused(error);
    }
    // Nothing of what this person saw stays for the next one.
    queries.clear();
    dropAllBaskets();
    await navigate({ to: "/sign-in" });
  };
  return (
    <Menu
      checkedValues={{ theme: [choice] }}
      onCheckedValueChange={(_, { checkedItems }) => choose((checkedItems[0] ?? "system") as Choice)}
    >
      <MenuTrigger disableButtonEnhancement>
        <Button className={styles.button} appearance="subtle" icon={<PersonRegular />} aria-label={`${t("account.label")}: ${me.name}`}>
          <span className={styles.name}>{me.name}</span>
        </Button>
      </MenuTrigger>
      <MenuPopover>
        <MenuList>
          <MenuItem onClick={() => void navigate({ to: "/account" })}>{t("account.profile")}</MenuItem>
          <MenuDivider />
          <MenuGroup>
            <MenuGroupHeader>{t("theme.label")}</MenuGroupHeader>
            {(["system", "light", "dark"] as const).map((value) => (
              <MenuItemRadio key={value} name="theme" value={value}>
                {t(`theme.${value}`)}
              </MenuItemRadio>
            ))}
          </MenuGroup>
          <MenuDivider />
          <MenuItem onClick={() => void signOut()}>{t("account.signOut")}</MenuItem>
        </MenuList>
      </MenuPopover>
    </Menu>
  );
}
