"""Killable children: every parser of foreign bytes lives in one."""
