/* SPDX-License-Identifier: ISC */
/* Links what was compiled as C99 with the static library, and nothing else. */
int header_is_usable(void);

int main(void)
{
	return header_is_usable() ? 0 : 1;
}
