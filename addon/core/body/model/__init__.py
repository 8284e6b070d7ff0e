"""SMPL-format bodies: files, joints, parts and the skinning function."""
