"""Operations on clips and motions as a whole: mirrored, resampled, blended, made a loop."""
